/** A cluster's keys and certificates in a temporary folder, and real peer networks over loopback. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, type Cluster } from '../../protocols/genesis.ts';
import { quorumOf } from '../../protocols/quorum.ts';
import type { Digest } from '../../protocols/types.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { createAuthority, issueLeaf, type Authority } from '../../src/init/certificates.ts';
import type { Logger } from '../../src/logger.ts';
import type { Frame } from '../../src/peers/frames.ts';
import {
  createPeerNetwork,
  type PeerNetwork,
  type PeerNetworkOptions,
} from '../../src/peers/network.ts';

export interface LogRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Everything that happened, in order, and a way to await the next thing that fits. */
export class Journal<T> {
  readonly entries: T[] = [];
  #waiters: { fits: (entry: T) => boolean; resolve: (entry: T) => void }[] = [];

  add(entry: T): void {
    this.entries.push(entry);
    const fitting = this.#waiters.filter(({ fits }) => fits(entry));
    this.#waiters = this.#waiters.filter((waiter) => !fitting.includes(waiter));
    for (const { resolve } of fitting) resolve(entry);
  }

  /** The first entry that fits, among those past and those to come. */
  next(fits: (entry: T) => boolean): Promise<T> {
    const past = this.entries.find(fits);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => this.#waiters.push({ fits, resolve }));
  }
}

export function journalLogger(journal: Journal<LogRecord>): Logger {
  const note = (fields: object, message: string): void =>
    journal.add({ fields: { ...fields }, message });
  const logger: Logger = {
    trace: note,
    debug: note,
    info: note,
    warn: note,
    error: note,
    fatal: note,
    child: () => logger,
  };
  return logger;
}

export interface Pems {
  readonly key: string;
  readonly crt: string;
}

export interface Event {
  readonly kind: 'connected' | 'disconnected' | 'frame' | 'fault';
  readonly peer: number;
  readonly text?: string;
  readonly body?: Uint8Array;
}

export interface Node {
  readonly network: PeerNetwork;
  readonly events: Journal<Event>;
  readonly log: Journal<LogRecord>;
}

export interface TestCluster {
  readonly cluster: Cluster;
  readonly ca: Authority;
  readonly pems: readonly Pems[];
  /** Creates and starts validator `index`; the addresses of those started before are known. */
  start(index: number, overrides?: Partial<PeerNetworkOptions>): Promise<Node>;
  /** A certificate for any key, from this cluster's CA or another. */
  pemsFor(id: string, authority?: Authority, key?: string): Promise<Pems>;
  /** Writes a file into the cluster's folder; returns its path. */
  write(name: string, content: string): string;
  ports: (number | undefined)[];
  readonly close: () => Promise<void>;
}

const now = Date.UTC(2026, 0, 1);

export async function createTestCluster(n: number, id = '1'): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'althing-peers-'));
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const ca = await createAuthority('test', generateKey().pem, now);
  const keys = Array.from({ length: n }, () => generateKey());
  const pemsFor: TestCluster['pemsFor'] = async (
    name,
    authority = ca,
    key = generateKey().pem,
  ) => ({
    key,
    crt: await issueLeaf(authority, { id: name, keyPem: key, hosts: ['127.0.0.1'] }, now),
  });
  const pems = await Promise.all(keys.map(({ pem }, at) => pemsFor(`node-${at}`, ca, pem)));
  const cluster: Cluster = {
    id: id.repeat(64).slice(0, 64) as Digest,
    n,
    quorum: quorumOf(n),
    genesis: {
      version: 1,
      name: 'test',
      createdAtMs: now,
      validators: keys.map(({ publicKey }, at) => ({ id: `node-${at}`, publicKey })),
      limits: DEFAULT_LIMITS,
      modules: {},
    },
  };
  const caCrt = write('ca.crt', ca.certificatePem);
  const ports: (number | undefined)[] = [];
  const started = new Set<PeerNetwork>();
  let files = 0;

  const start: TestCluster['start'] = async (index, overrides = {}) => {
    const events = new Journal<Event>();
    const log = new Journal<LogRecord>();
    const own = pems[index];
    if (own === undefined) throw new RangeError(`no validator ${index}`);
    const network = createPeerNetwork({
      cluster,
      index,
      signerPemPath: write(`${++files}.pem`, own.key),
      tlsCrt: write(`${files}.crt`, own.crt),
      caCrt,
      listen: { host: '127.0.0.1', port: 0 },
      addressOf: (peer) => (ports[peer] === undefined ? undefined : `127.0.0.1:${ports[peer]}`),
      logger: journalLogger(log),
      onFrames: (peer, frames: readonly Frame[]) => {
        for (const { envelope, body } of frames) {
          const text = Buffer.from(envelope).toString();
          events.add({ kind: 'frame', peer, text, ...(body === undefined ? {} : { body }) });
        }
      },
      onConnected: (peer) => events.add({ kind: 'connected', peer }),
      onDisconnected: (peer) => events.add({ kind: 'disconnected', peer }),
      onFault: (peer, text) => events.add({ kind: 'fault', peer, text }),
      ...overrides,
    });
    started.add(network);
    await network.start();
    ports[index] = network.port;
    return { network, events, log };
  };

  return {
    cluster,
    ca,
    pems,
    ports,
    start,
    pemsFor,
    write,
    close: async () => {
      await Promise.all([...started].map((network) => network.close()));
      rmSync(folder, { recursive: true });
    },
  };
}

export const text = (value: string): Uint8Array => Buffer.from(value);
