/** All about proofs in the transaction machine: what is kept for them, who waits for which, and the log. */
import type { Crypto } from '../crypto.ts';
import type { LogEvent, Output } from '../machine.ts';
import type { AnswerResult, Effect, TransactionInput } from '../messages.ts';
import type { Executed, Millis } from '../types.ts';
import { ChunkLog } from './chunk-log.ts';
import { BUSY, tellAnswer } from './edge-answers.ts';
import type { Executor } from './executor.ts';
import { Proving } from './proving.ts';
import type { Queries } from './queries.ts';
import { PROVE_TIMER, ReceiptProving, type ProvingPort } from './receipt-proving.ts';

export { PROVE_TIMER } from './receipt-proving.ts';

type AskedProof = Extract<TransactionInput, { kind: 'prove' }>;
type Out = Output<Effect>;

export class Prover {
  readonly #executor: Executor;
  readonly #rows: Proving;
  readonly #receipts: ReceiptProving;
  readonly #chunks: ChunkLog;

  constructor(crypto: Crypto, executor: Executor, queries: Queries) {
    this.#executor = executor;
    this.#rows = new Proving(crypto, executor, queries);
    this.#receipts = new ReceiptProving(crypto, executor.heights);
    this.#chunks = new ChunkLog(executor.heights.fullChunks);
  }

  /** The executor starts from a snapshot at this checkpoint. */
  resume(executed: Executed): void {
    this.#rows.checkpointMade(executed);
  }

  /** The last event of the log's chunks. */
  recover(event: LogEvent): void {
    this.#chunks.recover(event);
  }

  /** Rows wait that could be proved now. */
  get isDue(): boolean {
    return this.#rows.isDue;
  }

  take({ request, wanted }: AskedProof, now: Millis, out: Out): void {
    const port = this.#port(now, out);
    const taken =
      wanted.kind === 'submission'
        ? this.#receipts.take({ request, id: wanted.id }, port)
        : this.#rows.take({ request, wanted });
    if (!taken) port.answer(request, BUSY);
  }

  /** A block was executed, perhaps one with a checkpoint: what waited for that is proved now (I116). */
  blockDone(checkpoint: Executed | null, now: Millis, out: Out): void {
    for (const chunk of this.#executor.heights.takeFull()) {
      const event = this.#chunks.record(chunk);
      if (event !== null) out.deferred.push(event);
    }
    if (checkpoint === null) return;
    this.#rows.checkpointMade(checkpoint);
    this.#receipts.checkpointMade(checkpoint, this.#port(now, out));
    this.answer(out);
  }

  /** Those of rows that are due. */
  answer(out: Out): void {
    const { height } = this.#executor;
    this.#rows.answer((request, result) => tellAnswer(out, request, height, result));
  }

  logFound(tag: string, event: LogEvent | null, now: Millis, out: Out): void {
    this.#receipts.found(tag, event, this.#port(now, out));
  }

  logRead(tag: string, events: readonly LogEvent[], now: Millis, out: Out): void {
    this.#receipts.read(tag, events, this.#port(now, out));
  }

  /** PROVE_TIMER went off. */
  goOn(now: Millis, out: Out): void {
    this.#receipts.goOn(this.#port(now, out));
  }

  #port(now: Millis, out: Out): ProvingPort {
    const { height } = this.#executor;
    return {
      executed: this.#rows.executed,
      answer: (request: number, result: AnswerResult) => tellAnswer(out, request, height, result),
      ask: (effect) => void out.immediate.push(effect),
      later: () => void out.immediate.push({ kind: 'setTimer', timer: PROVE_TIMER, at: now }),
    };
  }
}
