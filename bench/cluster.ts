/**
 * Four (or n) real node processes with one embedded PostgreSQL server, in a folder of their own and on
 * free ports: what the benches measure and the process tests break.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Signer } from '../protocols/crypto.ts';
import type { Digest } from '../protocols/types.ts';
import { loadSigner } from '../src/crypto/signer.ts';
import { initCluster } from '../src/init/init.ts';
import { DATA_FOLDER_MODE } from '../src/init/layout.ts';
import {
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../src/postgres/embedded.ts';
import { freePort } from './free-port.ts';

const NODE_ENTRY = fileURLToPath(new URL('../src/node.js', import.meta.url));
const READY_MS = 180_000;
const STOP_MS = 60_000;
const POLL_MS = 20;
const quiet = { info: () => {}, warn: () => {} };

export interface ClusterOptions {
  readonly folder: string;
  readonly nodes?: number;
  readonly threads?: number | 'auto';
  readonly dev?: boolean;
  /** Files of users' modules that run from the start. */
  readonly modules?: readonly string[];
  /** More arguments for every node. */
  readonly args?: readonly string[];
  /** Arguments for Node.js itself, such as `--cpu-prof`. */
  readonly execArgv?: readonly string[];
  /** Ends the making with its reason. */
  readonly signal?: AbortSignal;
}

interface Seat {
  readonly id: string;
  /** The same at every start, so that peers and clients find the node again. */
  readonly ports: { readonly http: number; readonly grpc: number; readonly peer: number };
  process: ChildProcess | null;
  /** Somebody ends its process. */
  ending: boolean;
  /** It had a process before. */
  isUsed: boolean;
}

const PORTS_OF_A_NODE = 3;

async function newSeats(ids: readonly string[]): Promise<Seat[]> {
  const ports: number[] = [];
  while (ports.length < ids.length * PORTS_OF_A_NODE) ports.push(await freePort());
  return ids.map((id, at) => {
    const [http, grpc, peer] = ports.slice(at * PORTS_OF_A_NODE) as [number, number, number];
    return { id, ports: { http, grpc, peer }, process: null, ending: false, isUsed: false };
  });
}

export class Cluster {
  readonly folder: string;
  readonly clusterId: Digest;
  readonly postgres: EmbeddedPostgres;
  readonly #seats: readonly Seat[];
  readonly #options: ClusterOptions;
  /** Rejects, with the end of its log, once a node ends that nobody ended. */
  readonly broken: Promise<never>;
  #break: (error: Error) => void = () => {};
  #closed = false;

  private constructor(
    options: ClusterOptions,
    clusterId: Digest,
    postgres: EmbeddedPostgres,
    seats: readonly Seat[],
  ) {
    this.#options = options;
    this.folder = options.folder;
    this.clusterId = clusterId;
    this.postgres = postgres;
    this.#seats = seats;
    this.broken = new Promise((_, reject) => (this.#break = reject));
    // Who does not look at it ends nodes in other ways.
    this.broken.catch(() => {});
  }

  /**
   * Makes the cluster's files and its database server; no node runs yet. Leaves nothing behind when it
   * fails.
   */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const { folder } = options;
    mkdirSync(folder, { recursive: true });
    // Who made it to be new made it for its owner alone.
    chmodSync(folder, DATA_FOLDER_MODE);
    try {
      return await Cluster.#create(options);
    } catch (error) {
      await stopEmbeddedPostgres(postgresOf(folder));
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #create(options: ClusterOptions): Promise<Cluster> {
    const { folder, nodes = 4, signal, modules = [] } = options;
    const { clusterId, nodes: made } = await initCluster({
      data: folder,
      nodes,
      nowMs: Date.now(),
      modules,
    });
    const seats = await newSeats(made.map(({ id }) => id));
    signal?.throwIfAborted();
    const postgres = await startEmbeddedPostgres({ ...postgresOf(folder), port: 0, signal });
    for (const { id } of seats) await postgres.createDatabase(databaseOf(id));
    signal?.throwIfAborted();
    return new Cluster(options, clusterId, postgres, seats);
  }

  get size(): number {
    return this.#seats.length;
  }

  /** HTTP addresses of the nodes. */
  get urls(): string[] {
    return this.#seats.map(({ ports }) => `http://127.0.0.1:${ports.http}`);
  }

  grpcAddress(node: number): string {
    return `127.0.0.1:${this.#seat(node).ports.grpc}`;
  }

  peerAddress(node: number): string {
    return `127.0.0.1:${this.#seat(node).ports.peer}`;
  }

  id(node: number): string {
    return this.#seat(node).id;
  }

  pid(node: number): number {
    const pid = this.#seat(node).process?.pid;
    if (pid === undefined) throw new Error(`node ${node} does not run`);
    return pid;
  }

  pids(): number[] {
    return this.#seats.flatMap(({ process }) => (process?.pid === undefined ? [] : [process.pid]));
  }

  /** The key that may issue money (genesis, modules.ledger.issuers). */
  operator(): Signer {
    return loadSigner(join(this.folder, 'operator.pem'));
  }

  logFile(node: number): string {
    return join(this.folder, this.#seat(node).id, 'node.log');
  }

  databaseUrl(node: number): string {
    return this.postgres.url(databaseOf(this.#seat(node).id));
  }

  /** Starts the nodes (all by default) and waits until each is ready. */
  async start(nodes: readonly number[] = this.#seats.map((_, at) => at)): Promise<void> {
    for (const node of nodes) {
      await this.#left(this.#seat(node));
      this.spawn(node);
    }
    await Promise.all(nodes.map((node) => this.ready(node)));
  }

  /**
   * Resolves once the database has let go of the process before. One of its own that is slow to hear that a
   * node was killed would have the next one end as the second with that identity.
   */
  async #left({ id, isUsed }: Seat): Promise<void> {
    if (!isUsed) return;
    const client = new pg.Client({ connectionString: this.postgres.url('postgres') });
    await client.connect();
    const sql = `SELECT FROM pg_stat_activity
      WHERE datname = $1 AND application_name LIKE 'althing identity %'`;
    while ((await client.query(sql, [databaseOf(id)])).rowCount !== 0) await pause(POLL_MS);
    await client.end();
  }

  /** Throws once the cluster is closed: what a scenario that was cut short starts would stay behind. */
  spawn(node: number, more: readonly string[] = []): ChildProcess {
    if (this.#closed) throw new Error('the cluster is closed');
    const seat = this.#seat(node);
    rmSync(this.#readyFile(seat), { force: true });
    const out = openSync(this.logFile(node), 'a');
    const child = spawn(
      process.execPath,
      [...(this.#options.execArgv ?? []), NODE_ENTRY, ...this.#arguments(seat), ...more],
      {
        stdio: ['ignore', out, out],
        env: { ...process.env, ALTHING_DATABASE_URL: this.databaseUrl(node) },
      },
    );
    closeSync(out);
    seat.process = child;
    seat.ending = false;
    seat.isUsed = true;
    child.once('exit', (code, signal) => {
      if (seat.process === child) seat.process = null;
      if (!seat.ending) this.#break(this.#error(node, `ended by itself (${signal ?? code})`));
    });
    return child;
  }

  #arguments(seat: Seat): string[] {
    const peers = this.#seats
      .filter((other) => other !== seat)
      .map(({ id, ports }) => `${id}=127.0.0.1:${ports.peer}`);
    const { http, grpc, peer } = seat.ports;
    const { dev = false, threads = 'auto', args = [] } = this.#options;
    return [
      ['--id', seat.id, '--data', this.folder, '--ready-file', this.#readyFile(seat)],
      ['--http', String(http), '--grpc', String(grpc), '--peer', String(peer)],
      ['--threads', String(threads), '--log-level', 'info'],
      peers.length === 0 ? [] : ['--peers', peers.join(',')],
      dev ? ['--dev'] : [],
      args,
    ].flat();
  }

  /** Resolves when the node has written its ready file; rejects if it ends first. */
  async ready(node: number): Promise<void> {
    const seat = this.#seat(node);
    const deadline = performance.now() + READY_MS;
    for (;;) {
      if (existsSync(this.#readyFile(seat))) return;
      const over =
        performance.now() > deadline
          ? 'is not ready in time'
          : seat.process === null
            ? 'ended'
            : null;
      if (over !== null) throw this.#error(node, over);
      await pause(POLL_MS);
    }
  }

  #error(node: number, what: string): Error {
    const tail = readFileSync(this.logFile(node), 'utf8').split('\n').slice(-12).join('\n');
    return new Error(`${this.id(node)} ${what}; its log ends:\n${tail}`);
  }

  kill(node: number, signal: NodeJS.Signals): void {
    this.#seat(node).ending = true;
    process.kill(this.pid(node), signal);
  }

  /** Sends the signal and resolves with the exit code once the process is gone. */
  async end(node: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const seat = this.#seat(node);
    const child = seat.process;
    if (child === null) return null;
    seat.ending = true;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const cut = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await ended;
    clearTimeout(cut);
    return code;
  }

  /** Resolves with the exit code of a node that ends by itself, as it should. */
  async ended(node: number): Promise<number | null> {
    const seat = this.#seat(node);
    const { process: child } = seat;
    if (child === null) throw new Error(`${seat.id} does not run`);
    seat.ending = true;
    return new Promise((settle) => child.once('exit', settle));
  }

  /** Stops every node, then the database, and removes the folder unless it is to be kept. */
  async close(keep = false): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#seats.map((_, at) => this.end(at)));
    await this.postgres.stop(STOP_MS);
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  #seat(node: number): Seat {
    const seat = this.#seats[node];
    if (seat === undefined) throw new RangeError(`there is no node ${node}`);
    return seat;
  }

  #readyFile({ id }: Seat): string {
    return join(this.folder, id, 'ready.json');
  }
}

function postgresOf(folder: string) {
  return { dir: join(folder, 'postgres'), log: quiet };
}

function databaseOf(id: string): string {
  return `bench_${id.replaceAll('-', '_')}`;
}

/** Of a node that stands still, as it may on a busy machine; one that is gone refuses at once. */
const ANSWER_MS = 30_000;

/** `GET` of a JSON document from a node; throws with status and body when it is not a 200. */
export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`GET ${url}: ${answer.status} ${body}`);
  return JSON.parse(body) as T;
}
