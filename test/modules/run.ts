/** Runs commands of the built-in modules in blocks, and reads what became of them. */
import type { Signer } from '../../protocols/crypto.ts';
import type { ConsensusLimits } from '../../protocols/genesis.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import { Queries } from '../../protocols/transaction/queries.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { alice, Chain, clusterOf, receiptsOf, signed } from '../transaction/fixture.ts';

export class World {
  readonly chain: Chain;
  readonly #queries: Queries;
  readonly #seqs = new Map<string, number>();

  constructor(
    genesis: Readonly<Record<string, unknown>> = {},
    limits: Partial<ConsensusLimits> = {},
  ) {
    this.chain = new Chain(clusterOf(limits, genesis), builtInModules);
    this.#queries = new Queries(this.chain.executor);
  }

  /** Runs the calls in one submission; `ok`, or the code of each refusal. */
  run(calls: readonly Call[], signer: Signer = alice): string[] {
    return this.receipts(calls, signer).map(({ error }) => error?.code ?? 'ok');
  }

  receipts(calls: readonly Call[], signer: Signer = alice) {
    const seq = this.#seqs.get(signer.publicKey) ?? 0;
    this.#seqs.set(signer.publicKey, seq + 1);
    return receiptsOf(this.chain.run(signed(seq, calls, { signer })));
  }

  ask(module: string, query: string, args: unknown): unknown {
    const result = this.#queries.run({ module, query, args });
    return result.ok ? result.value : result.code;
  }
}
