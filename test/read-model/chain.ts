/** A chain of executed blocks, written into a real log as the actors write it. */
import { chainEntry, CHAIN_STREAM } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import { ReceiptLog } from '../../protocols/transaction/receipt-log.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { Certificate } from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import type { ActorLog } from '../../src/log/actor-log.ts';
import { append, IDENTITY } from '../log/harness.ts';
import { alice, Chain, clusterOf, signed } from '../transaction/fixture.ts';
import type { TestModules } from '../transaction/modules.ts';

export const VALIDATORS = ['validator-1', 'validator-2', 'validator-3', 'validator-4'];
export const task = (url: string) => ({ url, ...IDENTITY, validators: VALIDATORS });

export const put = (key: string) => ({
  module: 'scratch',
  command: 'put',
  args: { key, value: 1 },
});
export const refused = { module: 'scratch', command: 'nothing', args: null };

export class WrittenChain {
  readonly #chain: Chain;
  readonly #receipts = new ReceiptLog();
  readonly #log: ActorLog;
  #seq = 0;
  /** Receipts that are kept back. */
  #late: LogEvent[] = [];

  constructor(log: ActorLog, modules?: TestModules, config: Record<string, unknown> = {}) {
    this.#log = log;
    const cluster = clusterOf({ transactionsPerSubmissionMax: 5_000 }, config);
    this.#chain = new Chain(cluster, modules);
  }

  /** The next block, with one submission for each list of calls. `late`: its receipts come later. */
  async next(
    calls: readonly (readonly Call[])[],
    late = false,
    signer: Signer = alice,
  ): Promise<number> {
    const submissions = calls.map((each) => signed(this.#seq++, each, { signer }));
    const result = this.#chain.next([[0, submissions]]);
    const { block, digest } = result;
    const votes = [0, 1, 2].map((voter) => ({ voter, signature: new Uint8Array(64) }));
    const { epoch, term, height } = block;
    const certificate: Certificate = {
      kind: 'commit',
      epoch,
      term,
      height,
      block: digest,
      first: false,
      votes,
    };
    const entry = { block, certificate: height % 2 === 0 ? certificate : null };
    const header = packStructure(chainEntry, entry);
    await append(this.#log, { stream: CHAIN_STREAM, seq: height - 1, kind: 'final', header });
    const receipts = this.#receipts.record(result);
    if (receipts !== null) this.#late.push(receipts);
    if (!late) await this.release();
    return height;
  }

  async release(): Promise<void> {
    const events = this.#late;
    this.#late = [];
    if (events.length > 0) await append(this.#log, ...events);
  }
}
