/**
 * A node behind the edges for their tests: one process, one validator, real bytes. Submissions are
 * read, checked and answered by the rules of protocols/transaction; only agreement is left out.
 */
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import { OutcomeWriter } from '../../protocols/transaction/receipts.ts';
import { isRefusal } from '../../protocols/transaction/refusals.ts';
import { SubmissionReader } from '../../protocols/transaction/submission-reader.ts';
import { DEFAULT_LIMITS, type Cluster } from '../../protocols/genesis.ts';
import {
  EMPTY_TIP,
  ZERO_DIGEST,
  type Block,
  type Digest,
  type PublicKey,
} from '../../protocols/types.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { Edge } from '../../src/edge/edge.ts';
import type { Catalog } from '../../src/edge/catalog.ts';
import type { EdgeLogger } from '../../src/edge/logger.ts';
import type { EdgePort, FinalBlock, Live, NodeInfo, Submitted } from '../../src/edge/port.ts';
import { unprocessable } from '../../src/edge/problem.ts';
import type { Value } from '../../protocols/transaction/values.ts';

export const API_TOKEN = 'a-token-for-tests';
export const silent: EdgeLogger = { info() {}, warn() {}, error() {} };

export class TestPort implements EdgePort {
  readonly info: NodeInfo;
  readonly cluster: Cluster;
  height = 0;
  peersConnected: number[] = [1, 2, 3];
  writable = true;
  draining = false;
  state: 'LEADER' | 'FOLLOWER' | 'CANDIDATE' = 'LEADER';
  finalAtMs = Date.now();
  /** Submissions wait here for `release` while it is not null. */
  held: (() => void)[] | null = null;
  readonly #receipts = new Map<string, SubmissionReceipts>();
  readonly #reader: SubmissionReader;

  constructor(devMode: boolean) {
    const keys = Array.from({ length: 4 }, () => generateKey().publicKey);
    const validators = keys.map((publicKey, at) => ({ id: `validator-${at + 1}`, publicKey }));
    const id = nodeCrypto.hash(new TextEncoder().encode(keys.join()));
    this.cluster = {
      id,
      genesis: {
        version: 1,
        name: 'test',
        createdAtMs: 0,
        validators,
        limits: DEFAULT_LIMITS,
        modules: {},
      },
      n: 4,
      quorum: 3,
    };
    this.info = {
      nodeId: 'validator-1',
      clusterId: id,
      clusterName: 'test',
      index: 0,
      validators: validators.map((each) => each.id),
      quorum: 3,
      version: '0.0.0',
      devMode,
      threads: 1,
      startedAtMs: Date.now(),
    };
    this.#reader = new SubmissionReader(id, DEFAULT_LIMITS);
  }

  get nodeKey(): PublicKey {
    return this.cluster.genesis.validators[0]!.publicKey;
  }

  live(): Live {
    return {
      actors: {
        consensus: {
          epoch: 0,
          term: 4,
          state: this.state,
          leader: this.state === 'LEADER' ? 0 : 1,
          preparedHeight: this.height,
          finalHeight: this.height,
          finalDigest: ZERO_DIGEST,
          knownFinalHeight: this.height,
          certifiedHeight: 0,
          timeoutMs: 500,
          elections: 1,
          finalAtMs: this.finalAtMs,
          draining: false,
          drained: false,
        },
        voting: { voteSets: 0, evidence: 0 },
        replication: { tips: [], pendingBytes: 0, ownLaneBytes: 0, fetching: 0 },
        transaction: {
          executedHeight: this.height,
          executedTransactions: this.#receipts.size,
          waiting: this.held?.length ?? 0,
          waitingBytes: 0,
        },
      },
      peersConnected: this.peersConnected,
      log: { writable: this.writable, detail: 'in memory' },
      draining: this.draining,
    };
  }

  async submit(bytes: Uint8Array): Promise<Submitted> {
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    const read = this.#reader.parse(bytes);
    if (isRefusal(read)) return { ok: false, code: read.code, message: read.message };
    const signature = read.signature();
    if (signature.length > 0 && !nodeCrypto.verify(read.key, read.signed(), signature)) {
      return { ok: false, code: 'bad_signature', message: 'not a signature of these bytes' };
    }
    const id = nodeCrypto.hash(read.signed());
    const writer = new OutcomeWriter();
    for (let i = 0; i < read.txCount; i++) writer.plain();
    const receipts = {
      id,
      height: ++this.height,
      index: 0,
      txCount: read.txCount,
      encoded: writer.take(),
    };
    this.#receipts.set(id, receipts);
    return { ok: true, receipts };
  }

  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const go of held) go();
  }

  async query(): ReturnType<EdgePort['query']> {
    return { height: this.height, result: { ok: false, code: 'unknown_query', message: 'none' } };
  }

  async findSubmission(id: Digest): ReturnType<EdgePort['findSubmission']> {
    return { height: this.height, result: { ok: true, value: this.#receipts.get(id) ?? null } };
  }

  async block(height: number | 'latest'): Promise<FinalBlock | null> {
    if (height !== 'latest' && height > this.height) return null;
    const block: Block = {
      epoch: 0,
      term: 0,
      height: height === 'latest' ? this.height : height,
      parent: ZERO_DIGEST,
      justify: { kind: 'epoch' },
      cut: [EMPTY_TIP],
      timestamp: 1,
      executed: {
        height: 0,
        stateRoot: ZERO_DIGEST,
        receiptsRoot: ZERO_DIGEST,
        pendingSet: ZERO_DIGEST,
      },
      endsEpoch: null,
      signature: new Uint8Array(64),
    };
    return { block, digest: ZERO_DIGEST, certificate: null, txCount: 0 };
  }

  async metrics(): Promise<string> {
    return '# HELP althing_up\nalthing_up 1\n';
  }
}

const catalog: Catalog = {
  modules: { ledger: { commands: ['transfer'], queries: [] } },
  commandArgs(module, command, args, at) {
    if (module !== 'ledger')
      return unprocessable('unknown_module', 'no such module', `${at}.module`);
    if (command !== 'transfer') {
      return unprocessable('unknown_command', 'no such command', `${at}.command`);
    }
    return { value: args as Value };
  },
};

export function testEdge(devMode = false): { port: TestPort; edge: Edge } {
  const port = new TestPort(devMode);
  const edge = new Edge({
    port,
    cluster: port.cluster,
    nodeKey: port.nodeKey,
    crypto: nodeCrypto,
    catalog,
    auth: { apiToken: API_TOKEN },
  });
  return { port, edge };
}
