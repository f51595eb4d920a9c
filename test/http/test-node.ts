/**
 * A node behind the edges for their tests: the real transaction machine with the real modules, in
 * process. Only agreement is left out: a batch becomes a final block as soon as it is sealed, or when
 * the test lets it.
 */
import { CHAIN_STREAM, chainEntry, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import { clusterOf, DEFAULT_LIMITS, programOf, type Cluster } from '../../protocols/genesis.ts';
import type { EdgeMessage, Effect, TransactionInput } from '../../protocols/messages.ts';
import type { StateRead } from '../../protocols/state-read.ts';
import type { TransactionStatus } from '../../protocols/status.ts';
import { TransactionMachine } from '../../protocols/transaction/transaction.ts';
import type { ProofWanted } from '../../protocols/proofs/request.ts';
import { packStructure } from '../../protocols/wire.ts';
import { EMPTY_TIP, ZERO_DIGEST, type Block, type Digest } from '../../protocols/types.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import type { StoreFigures } from '../../src/cache/cache.ts';
import { Edge } from '../../src/edge/edge.ts';
import type { EdgeLogger } from '../../src/edge/logger.ts';
import type {
  Answered,
  EdgePort,
  EvidencePage,
  EvidencePlace,
  FinalBlock,
  Live,
  NodeInfo,
  ProofAnswer,
  Submitted,
} from '../../src/edge/port.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import type { DefinedModule } from '../../src/modules/define.ts';
import type { Hub, StreamLimits } from '../../src/stream/hub.ts';
import { Certifications } from '../../src/supervisor/certifications.ts';
import { NOTHING_YET } from '../../src/supervisor/nothing-yet.ts';
import { Proofs } from '../../src/supervisor/proofs.ts';
import { hubOver, MemoryLog } from '../stream/memory-log.ts';
import { certificateOf, chainOf, digestOf } from './certified.ts';
import { TestEvidence } from './evidence.ts';
import { quorumOf } from './quorum-of.ts';

export const API_TOKEN = 'a-token-for-tests';
export const silent: EdgeLogger = { info() {}, warn() {}, error() {} };
/** The client of these tests; it owns the account `alice`. */
export const client = signerFromPem(generateKey().pem);
export const validatorPems = [1, 2, 3, 4].map(() => generateKey().pem);
export const signers = validatorPems.map(signerFromPem);
const node = signers[0]!;

/** `config`: of modules, beside the ledger's accounts. */
export function testCluster(config: Readonly<Record<string, unknown>> = {}): Cluster {
  const validators = signers.map(({ publicKey }, at) => ({ id: `validator-${at + 1}`, publicKey }));
  const accounts = [
    { account: 'alice', owner: `key:${client.publicKey}`, balance: '1000' },
    { account: 'bob', owner: 'principal:api', balance: '0' },
  ];
  const genesis = {
    version: 1,
    name: 'test',
    createdAtMs: 0,
    validators,
    limits: DEFAULT_LIMITS,
    modules: { ledger: { accounts }, ...config },
  } as const;
  return clusterOf(genesis, nodeCrypto);
}

export class TestPort implements EdgePort {
  readonly cluster: Cluster;
  readonly info: NodeInfo;
  peersConnected: number[] = [1, 2, 3];
  writable = true;
  cache: readonly StoreFigures[] = [];
  draining = false;
  state: 'LEADER' | 'FOLLOWER' | 'CANDIDATE' = 'LEADER';
  /** What this node shows of its execution otherwise than it is. */
  pretended: Partial<TransactionStatus> = {};
  /** How long ago the last block became final, in milliseconds. */
  silentMs = 0;
  /** Final heights that this node pretends not to have executed. */
  behind = 0;
  /** What `metrics` does next. */
  failing = false;
  /** How many submissions have reached the node. */
  submitted = 0;
  readonly #machine: TransactionMachine;
  readonly #blocks: Block[] = [];
  /** The newest checkpoint, which the next blocks certify. */
  #executed = EXECUTED_NOTHING;
  readonly #proofs: Proofs;
  /** What the node has written. */
  readonly log = new MemoryLog();
  readonly streams: Hub;
  readonly found = new TestEvidence();
  readonly #waiting = new Map<number, (message: EdgeMessage) => void>();
  #request = 0;
  /** Batches that the machine sealed and that are final. */
  #sealed = 0;
  #held: (() => void)[] | null = null;
  #whenSubmitting: (() => void) | null = null;

  constructor(
    devMode: boolean,
    modules: readonly DefinedModule[] = builtInModules,
    cluster = testCluster(),
    streamLimits: Partial<StreamLimits> = {},
  ) {
    this.cluster = cluster;
    this.streams = hubOver(this.log, (block) => digestOf(this.cluster, block), streamLimits);
    this.#machine = new TransactionMachine({
      cluster,
      self: 0,
      crypto: nodeCrypto,
      signer: node,
      modules,
    });
    this.info = {
      nodeId: 'validator-1',
      clusterId: cluster.id,
      clusterName: cluster.genesis.name,
      index: 0,
      validators: cluster.genesis.validators.map(({ id }) => id),
      quorum: cluster.quorum,
      version: '0.0.0',
      devMode,
      threads: 1,
      availablePrograms: modules.map(programOf),
      startedAtMs: Date.now(),
    };
    const certifications = new Certifications(chainOf(cluster, signers, this.#blocks));
    const ask = (wanted: ProofWanted) => this.#prove(wanted);
    // Longer than a busy machine takes.
    this.#proofs = new Proofs({ clusterId: cluster.id, certifications, ask, waitMs: 60_000 });
    this.#step({ kind: 'started' });
  }

  /** Nothing becomes final until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const go of held) go();
  }

  /** Resolves when a submission next reaches the node. */
  submitting(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSubmitting = resolve;
    });
  }

  #step(input: TransactionInput): void {
    const output = this.#machine.step(input, Date.now());
    this.log.append([...output.events, ...output.deferred]);
    for (const effect of [...output.immediate, ...output.effects]) this.#release(effect);
  }

  #release(effect: Effect): void {
    if (effect.kind === 'setTimer') {
      const fire = (): void => this.#step({ kind: 'timer', timer: effect.timer });
      setTimeout(fire, Math.max(0, effect.at - Date.now()));
    } else if (effect.kind === 'findLog') {
      const event = this.log.find(effect.key);
      setImmediate(() => this.#step({ kind: 'logFound', tag: effect.tag, event }));
    } else if (effect.kind === 'readLog') {
      const { tag, stream, from, to } = effect;
      const events = this.log.events(stream, from, to);
      setImmediate(() => this.#step({ kind: 'logRead', tag, events }));
    } else if (effect.kind === 'tell' && effect.message.kind === 'checkpointExecuted') {
      this.#executed = effect.message.executed;
    } else if (effect.kind === 'tell' && effect.to === 'edge') {
      this.#answered(effect.message);
    } else if (effect.kind === 'tell' && effect.message.kind === 'sealBatch') {
      const { payload } = effect.message;
      if (this.#held === null) setImmediate(() => this.#finalise(payload));
      else this.#held.push(() => this.#finalise(payload));
    }
  }

  /** A final block with this batch, or with none. */
  #finalise(payload?: Uint8Array): void {
    const before = this.#blocks.at(-1);
    const block: Block = {
      epoch: 0,
      term: 4,
      height: this.#blocks.length + 1,
      parent: before === undefined ? this.cluster.id : digestOf(this.cluster, before),
      justify: { kind: 'epoch' },
      cut: this.cluster.genesis.validators.map(() => EMPTY_TIP),
      timestamp: Date.now(),
      executed: this.#executed,
      endsEpoch: null,
      signature: new Uint8Array(64),
    };
    this.#blocks.push(block);
    const header = packStructure(chainEntry, { block, certificate: null });
    this.log.append([{ stream: CHAIN_STREAM, seq: block.height - 1, kind: 'final', header }]);
    if (payload !== undefined) this.#sealed++;
    const sealed = this.#sealed;
    const batches = payload === undefined ? [] : [{ lane: 0, payload }];
    this.#step({ kind: 'execute', block, digest: digestOf(this.cluster, block), batches, sealed });
  }

  /** Blocks follow until it is answered: as a leader proposes empty ones until all is certified. */
  async prove(wanted: ProofWanted): Promise<ProofAnswer> {
    // A client takes nothing certified a minute ago: new blocks have another checkpoint among them.
    const isQuiet = Date.now() - (this.#blocks.at(-1)?.timestamp ?? Infinity) > 30_000;
    for (let at = 0; isQuiet && at < 32; at++) this.#finalise();
    const beat = setInterval(() => this.#finalise(), 1);
    try {
      return await this.#proofs.prove(wanted);
    } finally {
      clearInterval(beat);
    }
  }

  #prove(wanted: ProofWanted): Promise<Answered> {
    return this.#answerTo((request) => ({ kind: 'prove', request, wanted }));
  }

  #answered(message: EdgeMessage): void {
    if (message.kind === 'blockExecuted') {
      this.streams.executed(message.block.height, message.txCount);
    }
    if (message.kind === 'answer') this.#waiting.get(message.request)?.(message);
    if (message.kind !== 'submitted') return;
    for (const result of message.results) {
      this.#waiting.get(result.request)?.({ kind: 'submitted', results: [result] });
    }
  }

  #ask<T>(
    input: (request: number) => TransactionInput,
    read: (message: EdgeMessage) => T | undefined,
  ): Promise<T> {
    const request = this.#request++;
    return new Promise((resolve) => {
      this.#waiting.set(request, (message) => {
        this.#waiting.delete(request);
        const answer = read(message);
        if (answer !== undefined) resolve(answer);
      });
      this.#step(input(request));
    });
  }

  #answerTo(input: (request: number) => TransactionInput): Promise<Answered> {
    return this.#ask(input, (message) => (message.kind === 'answer' ? message : undefined));
  }

  submit(bytes: Uint8Array, until?: 'admitted'): Promise<Submitted> {
    this.submitted++;
    this.#whenSubmitting?.();
    const wanted = until === undefined ? {} : { until };
    return this.#ask<Submitted>(
      (request) => ({ kind: 'submit', submissions: [{ request, bytes, ...wanted }] }),
      (message) => (message.kind === 'submitted' ? message.results[0] : undefined),
    );
  }

  query(read: StateRead): Promise<Answered> {
    return this.#answerTo((request) => ({ kind: 'query', request, ...read }));
  }

  confirm(): Promise<Answered> {
    return this.#answerTo((request) => ({ kind: 'confirm', request }));
  }

  findSubmission(id: Digest): Promise<Answered> {
    return this.#answerTo((request) => ({ kind: 'findSubmission', request, id }));
  }

  block(height: number | 'latest'): Promise<FinalBlock | null | 'unavailable'> {
    const block = height === 'latest' ? this.#blocks.at(-1) : this.#blocks[height - 1];
    if (block === undefined) return Promise.resolve(null);
    const digest = digestOf(this.cluster, block);
    const certificate = certificateOf(this.cluster, signers, block);
    return Promise.resolve({ block, digest, certificate, txCount: 1 });
  }

  evidence(from: EvidencePlace, limit: number): Promise<EvidencePage> {
    return Promise.resolve(this.found.page(from, limit));
  }

  readModel(): null {
    return null;
  }

  metrics(): Promise<string> {
    if (this.failing) return Promise.reject(new Error('a secret of /the/node.ts:12'));
    return Promise.resolve('# TYPE althing_up gauge\nalthing_up 1\n');
  }

  timeOf(height: number): number | null {
    return this.#blocks[height - 1]?.timestamp ?? null;
  }

  live(): Live {
    const height = this.#blocks.length;
    return {
      actors: {
        consensus: {
          ...NOTHING_YET.consensus,
          term: 4,
          state: this.state,
          leader: this.state === 'LEADER' ? 0 : 1,
          preparedHeight: height,
          finalHeight: height,
          finalDigest:
            this.#blocks.length === 0 ? ZERO_DIGEST : digestOf(this.cluster, this.#blocks.at(-1)!),
          knownFinalHeight: height + this.behind,
          timeoutMs: 500,
          elections: 1,
          finalAtMs: Date.now() - this.silentMs,
        },
        voting: NOTHING_YET.voting,
        replication: NOTHING_YET.replication,
        transaction: { ...this.#machine.status(), ...this.pretended },
      },
      peersConnected: this.peersConnected,
      quorum: quorumOf(this.info, this.peersConnected, this.silentMs),
      log: { writable: this.writable, detail: 'in memory' },
      cache: this.cache,
      draining: this.draining,
    };
  }
}

export function testEdge(
  devMode = false,
  modules = builtInModules,
  cluster = testCluster(),
  streamLimits: Partial<StreamLimits> = {},
): { port: TestPort; edge: Edge } {
  const port = new TestPort(devMode, modules, cluster, streamLimits);
  const edge = new Edge({
    port,
    cluster: port.cluster,
    catalog: new ModuleCatalog(modules),
    nodeKey: node.publicKey,
    crypto: nodeCrypto,
    auth: { apiToken: API_TOKEN },
  });
  return { port, edge };
}
