/** Built-in modules in blocks whose time the test sets. */
import type { Signer } from '../../protocols/crypto.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import type { ModuleSet } from '../../protocols/transaction/module.ts';
import { Queries } from '../../protocols/transaction/queries.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import {
  alice,
  Chain,
  clusterOf,
  receiptsOf,
  signed,
  START_MS,
  vouched,
} from '../transaction/fixture.ts';

const VALID_MS = 60_000;

export class TimedWorld {
  readonly chain: Chain;
  /** Of the last block. */
  time = START_MS;
  readonly #queries: Queries;
  #seq = 0;

  constructor(
    genesis: Readonly<Record<string, unknown>> = {},
    others: ModuleSet = [],
    cluster: Cluster = clusterOf({}, genesis),
  ) {
    const modules = [...builtInModules, ...others];
    this.chain = new Chain(cluster, modules);
    this.#queries = new Queries(this.chain.executor);
  }

  get height(): number {
    return this.chain.executor.height;
  }

  /** The receipts of `calls` in the next block, signed by `signer`. */
  receipts(calls: readonly Call[], signer: Signer = alice): Receipt[] {
    const options = { signer, validUntil: this.time + VALID_MS };
    return this.#block(signed(this.#seq++, calls, options)).slice(-calls.length);
  }

  /** `ok`, or the code of each refusal. */
  run(calls: readonly Call[], signer: Signer = alice): string[] {
    return this.receipts(calls, signer).map(({ error }) => error?.code ?? 'ok');
  }

  /** The same for what node `lane` signs for `principal`. */
  runFor(principal: string, lane: number, calls: readonly Call[]): string[] {
    const options = { lane, principal, validUntil: this.time + VALID_MS };
    const receipts = this.#block(vouched(`key-${this.#seq++}`, calls, options), lane);
    return receipts.slice(-calls.length).map(({ error }) => error?.code ?? 'ok');
  }

  /** An empty block at `time`; what timers left. */
  at(time: number): Receipt[] {
    this.time = time - 1;
    return this.#block(null);
  }

  ask(module: string, query: string, args: unknown): unknown {
    const result = this.#queries.run({ module, query, args });
    return result.ok ? result.value : result.code;
  }

  #block(submission: Uint8Array | null, lane = 0): Receipt[] {
    this.time++;
    const batches = submission === null ? [] : ([[lane, [submission]]] as const);
    return receiptsOf(this.chain.next(batches, this.time));
  }
}
