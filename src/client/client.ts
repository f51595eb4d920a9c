/**
 * A client of a cluster, for Node and browsers: signs submissions, sends them to whichever nodes
 * answer until they are final, reads, and follows what happens.
 *
 *   const client = await Client.connect({ urls: ['http://127.0.0.1:9003'], signer });
 *   const { receipt } = await client.module<typeof kv>('kv').send.set({ … });
 */
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Digest } from '../../protocols/types.ts';
import { Batcher } from './batcher.ts';
import { askCluster, type ClusterFacts } from './cluster.ts';
import { AlthingError, TransactionFailed } from './errors.ts';
import { Nodes, type NodesOptions } from './nodes.ts';
import {
  pathWith,
  read,
  resultOf,
  type Answer,
  type Parameters,
  type ReadOptions,
} from './reads.ts';
import { Sequence } from './sequence.ts';
import { Submitter, type Submitted } from './submitter.ts';
import { byName, type AnyArgs, type ModuleClient } from './typed.ts';

export interface ClientOptions extends NodesOptions {
  readonly crypto: Crypto;
  /** Who submits; a client without one only reads. One process at a time may use a key. */
  readonly signer?: Signer;
  /** How long a submission may wait to be executed: 60,000 ms without it. */
  readonly validityMs?: number;
  /** The first seq, for a client that counts by itself. */
  readonly firstSeq?: number;
  /** How long a call waits for others to share its submission; 0 ms without it. */
  readonly batchMs?: number;
  /** The cluster that is meant. Without it, the one that the nodes say they are. */
  readonly clusterId?: Digest;
}

const VALIDITY_MS = 60_000;

export class Client {
  readonly cluster: ClusterFacts;
  readonly nodes: Nodes;
  readonly #options: ClientOptions;
  readonly #submitter: Submitter | null;
  readonly #batcher: Batcher;

  private constructor(options: ClientOptions, nodes: Nodes, cluster: ClusterFacts) {
    this.cluster = cluster;
    this.nodes = nodes;
    this.#options = options;
    this.#submitter = this.#createSubmitter();
    const { transactionsPerSubmissionMax, submissionBytesMax } = cluster.limits;
    const limits = {
      transactionsMax: transactionsPerSubmissionMax,
      bytesMax: submissionBytesMax,
      waitMs: options.batchMs ?? 0,
    };
    this.#batcher = new Batcher(limits, async (calls) => (await this.submit(calls)).receipts);
  }

  /**
   * Asks the nodes which cluster they are, until f + 1 of them, or all that were given, say the same.
   * Throws AlthingError when they do not.
   */
  static async connect(options: ClientOptions): Promise<Client> {
    const nodes = new Nodes(options);
    return new Client(options, nodes, await askCluster(nodes, options.clusterId));
  }

  #createSubmitter(): Submitter | null {
    const { signer, crypto, firstSeq, validityMs = VALIDITY_MS } = this.#options;
    if (signer === undefined) return null;
    const { clusterId, faultyMax } = this.cluster;
    const sequence = new Sequence(firstSeq);
    const { nodes } = this;
    return new Submitter({ nodes, clusterId, faultyMax, crypto, signer, sequence, validityMs });
  }

  /** How others see who submits: `key:…`. */
  get sender(): string {
    return `key:${this.#options.signer?.publicKey ?? ''}`;
  }

  /**
   * Resolves when the calls are final: they execute in order, and each succeeds or fails alone, as its
   * receipt says. Throws AlthingError when the submission is refused, OutcomeUnknown when nobody told.
   */
  async submit(calls: readonly Call[], signal?: AbortSignal): Promise<Submitted> {
    const submitter = this.#needSubmitter();
    return submitter.send(submitter.sign(calls), signal);
  }

  /** Sends again what an OutcomeUnknown carried: it executes once, or not at all. */
  async resend(bytes: Uint8Array, signal?: AbortSignal): Promise<Submitted> {
    return this.#needSubmitter().send(bytes, signal);
  }

  /** One call, sent together with others of the same moment. Resolves with its receipt. */
  async call(module: string, command: string, args: Value): Promise<Receipt> {
    this.#needSubmitter();
    return this.#batcher.add({ module, command, args });
  }

  #needSubmitter(): Submitter {
    if (this.#submitter !== null) return this.#submitter;
    throw new AlthingError('no_signer', 'this client only reads: give it a signer to submit');
  }

  /** The result of a module's query. */
  async query<Result = Value>(
    module: string,
    query: string,
    args: Parameters = {},
    options: ReadOptions = {},
  ): Promise<Answer<Result>> {
    const path = pathWith(`/api/v11/${module}/${query}`, args);
    return resultOf<Result>(await read(this.nodes, path, options));
  }

  /** A module's commands and queries by name, in the types of its declaration. */
  module<M>(name: string): ModuleClient<M> {
    const send = byName((command) => (args?: AnyArgs) => this.#send(name, command, args ?? {}));
    const ask = byName(
      (query) =>
        (args: Parameters = {}, options: ReadOptions = {}) =>
          this.query(name, query, args, options),
    );
    return { send, ask } as unknown as ModuleClient<M>;
  }

  async #send(module: string, command: string, args: AnyArgs) {
    const receipt = await this.call(module, command, withoutUndefined(args));
    const { error, id, height } = receipt;
    if (error !== undefined) throw new TransactionFailed(error.code, error.message, id, height);
    return { result: receipt.result, receipt };
  }
}

/** What is left out in TypeScript is left out in the arguments, too. */
function withoutUndefined(args: AnyArgs): Value {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Value;
}
