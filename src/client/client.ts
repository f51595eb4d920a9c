/**
 * A client of a cluster, for Node and browsers: signs submissions, sends them to whichever nodes
 * answer until they are final, reads, and follows what happens.
 *
 *   const client = await connect({ urls: ['http://127.0.0.1:9003'], genesis, signer: key });
 *   const { receipt } = await client.module(kv).send.set({ … });
 *
 * With a genesis document, or a checkpoint, what it resolves with is proved: nothing of it is a node's
 * word. Where somebody asks for `trust: 'node'` it is, and comes sooner.
 */
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import type { Genesis } from '../../protocols/genesis.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Digest } from '../../protocols/types.ts';
import type { DefinedModule } from '../modules/define.ts';
import { ModuleCatalog } from '../modules/catalog.ts';
import { Batcher } from './batcher.ts';
import { named } from './call-args.ts';
import { askCluster, type ClusterFacts } from './cluster.ts';
import { AlthingError, TransactionFailed } from './errors.ts';
import { CALL, CONNECT, FOLLOW, READ, ROW, SIGN, SUBMIT, SUBSCRIBE } from './known-options.ts';
import { Nodes, type NodesOptions } from './nodes.ts';
import { checkOptions } from './options.ts';
import { ProvedReads } from './proved-reads.ts';
import {
  read,
  spelled,
  type Answer,
  type Parameters,
  type ReadOptions,
  type Trust as TrustIn,
} from './reads.ts';
import { isSeqGone, Signing } from './signing.ts';
import { Submitter, type Submitted } from './submitter.ts';
import { subscribe, type SubscribeOptions, type Subscription } from './subscription.ts';
import { Trust, type TrustedCheckpoint } from './trust.ts';
import {
  byName,
  type AnyArgs,
  type AnyModule,
  type CallOptions,
  type FollowOptions,
  type ModuleClient,
} from './typed.ts';

export interface ClientOptions extends NodesOptions {
  readonly crypto: Crypto;
  /** Who submits; a client without one only reads. */
  readonly signer?: Signer;
  /**
   * The genesis document of the cluster, or its text, from somewhere that is trusted: with it the
   * cluster's id, limits and validators are not asked of nodes, and what they answer is verified.
   */
  readonly genesis?: Genesis | string;
  /** In place of the genesis document: the validators as of some height. */
  readonly trusted?: TrustedCheckpoint;
  /** Where a call does not say: `proof` with `genesis` or `trusted`, else `node`. */
  readonly trust?: TrustIn;
  /** Of proved reads: how old, by the time of its block, one may be; 60,000 ms without it. */
  readonly maxAgeMs?: number;
  /** Modules whose code is here, so that the results of their queries can be computed and so proved. */
  readonly modules?: readonly AnyModule[];
  /** How long a submission may wait to be executed: 60,000 ms without it. */
  readonly validityMs?: number;
  /** The first seq, for a client that counts by itself: nothing is signed anew for it. */
  readonly firstSeq?: number;
  /** How long a call waits for others to share its submission; 0 ms without it. */
  readonly batchMs?: number;
  /** The cluster that is meant. Without it and `genesis`, the one that the nodes say they are. */
  readonly clusterId?: Digest;
}

export interface SignOptions {
  /** How long the submission may wait to be executed; without it, what the client was told. */
  readonly validityMs?: number;
}

export interface SubmitOptions extends CallOptions {
  /** Is given what is about to be sent: for who keeps it until its outcome is known. */
  readonly signed?: (bytes: Uint8Array) => void;
}

const VALIDITY_MS = 60_000;

export class Client {
  readonly cluster: ClusterFacts;
  readonly nodes: Nodes;
  readonly #options: ClientOptions;
  readonly #submitter: Submitter;
  readonly #signing: Signing | null;
  readonly #proved: ProvedReads | null;
  readonly #modules = new Map<string, ModuleCatalog>();
  /** What is believed in different ways travels apart. */
  readonly #batchers: Readonly<Record<TrustIn, Batcher>>;

  private constructor(
    options: ClientOptions,
    nodes: Nodes,
    cluster: ClusterFacts,
    trust: Trust | null,
  ) {
    this.cluster = cluster;
    this.nodes = nodes;
    this.#options = options;
    const { crypto, validityMs = VALIDITY_MS } = options;
    this.#submitter = new Submitter({ nodes, ...cluster, crypto, validityMs });
    this.#signing = this.#createSigning(validityMs);
    this.#proved = trust === null ? null : new ProvedReads(nodes, trust);
    for (const module of options.modules ?? []) this.#know(module);
    this.#batchers = { proof: this.#createBatcher('proof'), node: this.#createBatcher('node') };
  }

  /**
   * With `genesis` or `trusted` nobody is asked. Else asks the nodes which cluster they are, until f + 1 of
   * them, or all that were given, say the same. Throws AlthingError when they do not, or when an
   * option is not what it should be.
   */
  static async connect(options: ClientOptions): Promise<Client> {
    checkOptions(options, CONNECT);
    const nodes = new Nodes(options);
    const trust = trustOf(options);
    const cluster = trust?.facts ?? (await askCluster(nodes, options.clusterId));
    if (options.clusterId !== undefined && options.clusterId !== cluster.clusterId) {
      throw new AlthingError('other_cluster', `the genesis document is of ${cluster.clusterId}`);
    }
    return new Client(options, nodes, cluster, trust);
  }

  #createSigning(validityMs: number): Signing | null {
    const { signer, firstSeq } = this.#options;
    if (signer === undefined) return null;
    const { clusterId } = this.cluster;
    return new Signing({ clusterId, signer, firstSeq, validityMs });
  }

  #createBatcher(trust: TrustIn): Batcher {
    const limits = { ...this.cluster.limits, waitMs: this.#options.batchMs ?? 0 };
    return new Batcher(limits, async (calls) => (await this.submit(calls, { trust })).receipts);
  }

  /** How others see who submits: `key:…`. */
  get sender(): string {
    return `key:${this.#options.signer?.publicKey ?? ''}`;
  }

  /** The highest executed height that this client has seen certified; 0 for none. */
  get certifiedHeight(): number {
    return this.#proved?.trust.height ?? 0;
  }

  /** How an answer is proved; null where a node is believed. Throws AlthingError `needs_genesis`. */
  #proofs(asked: TrustIn | undefined): ProvedReads | null {
    const trust = asked ?? this.#options.trust ?? (this.#proved === null ? 'node' : 'proof');
    if (trust === 'node') return null;
    if (this.#proved !== null) return this.#proved;
    throw new AlthingError(
      'needs_genesis',
      'to verify proofs, give the client the genesis document',
    );
  }

  /**
   * Resolves when the calls are final: they execute in order, and each succeeds or fails alone, as its
   * receipt says. Signed anew where what was signed before is known never to execute, for others use the
   * key. Throws AlthingError when the submission is refused, OutcomeUnknown when nobody told.
   */
  async submit(calls: readonly Call[], options: SubmitOptions = {}): Promise<Submitted> {
    checkOptions(options, SUBMIT);
    const { signed, ...how } = options;
    const send = (bytes: Uint8Array): Promise<Submitted> => {
      signed?.(bytes);
      return this.resend(bytes, how);
    };
    return this.#needSigning().send(calls, send, this.#isRefusalKnown(options));
  }

  /** Whether more refuse than may be faulty, or one that is believed. */
  #isRefusalKnown({ trust }: CallOptions): boolean {
    return this.#proofs(trust) === null || this.nodes.count > this.cluster.faultyMax;
  }

  /**
   * Whether what `submit` or `resend` threw says that the submission never executes, so that the same
   * calls may be signed anew (X10).
   */
  neverExecutes(thrown: unknown, options: CallOptions = {}): boolean {
    checkOptions(options, CALL);
    const isGone =
      thrown instanceof AlthingError && (isSeqGone(thrown) || thrown.code === 'expired');
    return isGone && this.#isRefusalKnown(options);
  }

  /**
   * The calls as one signed submission, not sent: whoever has the bytes can send them, by `resend` of any
   * client or over HTTP, until `validityMs` have passed, which the cluster bounds. However often they
   * are sent, they execute once.
   */
  sign(calls: readonly Call[], options: SignOptions = {}): Uint8Array {
    checkOptions(options, SIGN);
    return this.#needSigning().sign(calls, options.validityMs);
  }

  /**
   * Sends what was signed before, by whomever: what `sign` gave, or again what an OutcomeUnknown carried.
   * It executes once, or not at all.
   */
  async resend(bytes: Uint8Array, options: CallOptions = {}): Promise<Submitted> {
    checkOptions(options, CALL);
    const { trust, signal } = options;
    const proofs = this.#proofs(trust);
    const prove = proofs === null ? null : proofs.receiptsFrom.bind(proofs);
    return this.#submitter.send(bytes, prove, signal);
  }

  /** One call, sent together with others of the same moment. Resolves with its receipt. */
  async call(
    module: string,
    command: string,
    args: Value,
    options: CallOptions = {},
  ): Promise<Receipt> {
    checkOptions(options, CALL);
    const { trust, signal } = options;
    this.#needSigning();
    if (signal !== undefined) {
      const { receipts } = await this.submit([{ module, command, args }], { trust, signal });
      return receipts[0]!;
    }
    return this.#batchers[this.#proofs(trust) === null ? 'node' : 'proof'].add({
      module,
      command,
      args,
    });
  }

  #needSigning(): Signing {
    if (this.#signing !== null) return this.#signing;
    throw new AlthingError('no_signer', 'this client only reads: give it a signer to submit');
  }

  /**
   * The receipts of a submission that is final. Throws AlthingError `unknown_transaction` when it is not
   * known to be.
   */
  async receipts(id: Digest, options: ReadOptions = {}): Promise<Submitted> {
    checkOptions(options, READ);
    const proofs = this.#proofs(options.trust);
    if (proofs !== null) return proofs.receipts(id, options);
    return (await read<Submitted>(this.nodes, `/api/v11/transactions/${id}`, {}, options)).result;
  }

  /**
   * The result of a module's query; proved where the module's code is here (`modules`, or `module(value)`),
   * for then it is computed here. Throws AlthingError: the module's refusal, `needs_module`, or why
   * no answer holds.
   */
  async query<Result = Value>(
    module: string,
    query: string,
    args: Parameters = {},
    options: ReadOptions = {},
  ): Promise<Answer<Result>> {
    checkOptions(options, READ);
    const proofs = this.#proofs(options.trust);
    if (proofs === null) return read(this.nodes, `/api/v11/${module}/${query}`, args, options);
    const catalog = this.#modules.get(module);
    if (catalog === undefined) {
      const detail = `to verify what ${module} answers, give the client its code (modules; that of a built-in one is in althing/modules/), read rows (row), or ask with trust: 'node'`;
      throw new AlthingError('needs_module', detail);
    }
    const parameters = spelled(args);
    const canonical = catalog.queryArgs(module, query, parameters, true);
    if (!canonical.ok) {
      const { code, field, message } = canonical;
      throw new AlthingError(code, named(field, message), 0, field);
    }
    const asked = { value: canonical.args, parameters };
    return proofs.query<Result>(catalog.named(module)!, query, asked, options);
  }

  /** The row under a key of a module's table, proved; undefined when there is none. */
  async row(
    module: string,
    table: string,
    key: string,
    options: Omit<ReadOptions, 'trust'> = {},
  ): Promise<Answer<Value | undefined>> {
    checkOptions(options, ROW);
    return this.#proofs('proof')!.row(module, table, key, options);
  }

  /** What happens, as it becomes final, or from a height on: for `for await`. */
  subscribe(options: SubscribeOptions = {}): Subscription {
    checkOptions(options, SUBSCRIBE);
    return subscribe(this.nodes, this.#proofs(options.trust), options);
  }

  /**
   * A module's commands and queries by name, in the types of its declaration. Given its code, results of
   * its queries can be proved; given its name alone, they are a node's word.
   */
  module<M extends AnyModule>(module: M): ModuleClient<M>;
  module<M>(name: string): ModuleClient<M>;
  module<M>(given: string | AnyModule): ModuleClient<M> {
    if (typeof given !== 'string') this.#know(given);
    const name = typeof given === 'string' ? given : given.name;
    const send = byName((command) => (args?: AnyArgs, options?: CallOptions) => {
      return this.#send(name, command, args ?? {}, options);
    });
    const ask = byName(
      (query) =>
        (args: Parameters = {}, options: ReadOptions = {}) =>
          this.query(name, query, args, options),
    );
    const follow = (options: FollowOptions = {}): Subscription => {
      checkOptions(options, FOLLOW);
      return this.subscribe({ ...options, trust: 'proof', modules: [name] });
    };
    return { send, ask, subscribe: follow } as unknown as ModuleClient<M>;
  }

  #know(module: AnyModule): void {
    this.#modules.set(module.name, new ModuleCatalog([module as DefinedModule]));
  }

  async #send(module: string, command: string, args: AnyArgs, options?: CallOptions) {
    const given = withoutUndefined(args);
    const receipt = await this.call(module, command, given, options);
    const { error, id, height } = receipt;
    if (error === undefined) return { result: receipt.result, receipt };
    // A receipt names no argument. The module's code does, where it is here and refuses the same.
    const known = this.#modules.get(module)?.commandArgs(module, command, given);
    const { field, message } =
      known?.ok === false && known.code === error.code ? known : { field: '', ...error };
    throw new TransactionFailed(error.code, named(field, message), id, height, field);
  }
}

function trustOf({ crypto, genesis, trusted, maxAgeMs }: ClientOptions): Trust | null {
  if (genesis !== undefined) return Trust.inGenesis(crypto, genesis, maxAgeMs);
  return trusted === undefined ? null : Trust.inCheckpoint(crypto, trusted, maxAgeMs);
}

/** What is left out in TypeScript is left out in the arguments, too. */
function withoutUndefined(args: AnyArgs): Value {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Value;
}
