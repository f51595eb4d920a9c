/**
 * The shapes of load. Latency is measured by the client's clock: in an open loop from when a
 * submission was due, so that a slow cluster cannot hide by slowing its clients down.
 */
import { performance } from 'node:perf_hooks';
import type { Sender, Sent } from './sender.ts';
import { Tally, type RunResult } from './tally.ts';

export interface ClosedLoopOptions {
  /** How many there are to send. */
  readonly count: number;
  /** Transactions that each of them counts for. */
  readonly transactionsEach: number;
  readonly outstanding: number;
  readonly secondsMax: number;
}

/** Closed loop: `outstanding` of them under way until they run out or the time is over. */
export async function closedLoop(
  { count, transactionsEach, outstanding, secondsMax }: ClosedLoopOptions,
  send: (at: number) => Promise<Sent>,
): Promise<RunResult> {
  const tally = new Tally();
  const startedAt = performance.now();
  const endsAt = startedAt + secondsMax * 1000;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count && performance.now() < endsAt) {
      const at = next++;
      const sentAt = performance.now();
      const sent = await send(at);
      tally.take(sent, transactionsEach, performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, worker));
  return tally.result((performance.now() - startedAt) / 1000);
}

/** Submissions made before, in a closed loop. */
export function sendAll(
  sender: Sender,
  submissions: readonly Uint8Array[],
  transactionsEach: number,
  { outstanding, secondsMax }: Pick<ClosedLoopOptions, 'outstanding' | 'secondsMax'>,
): Promise<RunResult> {
  const options = { count: submissions.length, transactionsEach, outstanding, secondsMax };
  return closedLoop(options, (at) => sender.send(submissions[at]!, at));
}

export interface OpenLoopOptions {
  readonly perSecond: number;
  readonly txPerSubmission: number;
  /** The submission to send as number `at`; null when there are no more. */
  readonly take: (at: number) => Uint8Array | null | Promise<Uint8Array | null>;
  readonly onSent?: (at: number, sent: Sent) => void;
}

/** One submission every 1/perSecond seconds, whether or not earlier ones were answered. */
export class OpenLoop {
  readonly #sender: Sender;
  readonly #options: OpenLoopOptions;
  readonly #tally = new Tally();
  readonly #startedAt = performance.now();
  readonly #underWay = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #isStopped = false;

  constructor(sender: Sender, options: OpenLoopOptions) {
    this.#sender = sender;
    this.#options = options;
    this.#done = this.#run();
  }

  /** The figures so far. */
  progress(): RunResult {
    return this.#tally.result((performance.now() - this.#startedAt) / 1000);
  }

  /** Resolves when the submissions have run out, or it was stopped, and everything is answered. */
  async finished(): Promise<RunResult> {
    await this.#done;
    await Promise.all(this.#underWay);
    return this.progress();
  }

  stop(): Promise<RunResult> {
    this.#isStopped = true;
    return this.finished();
  }

  async #run(): Promise<void> {
    const { perSecond, take } = this.#options;
    for (let at = 0; !this.#isStopped; at++) {
      const bytes = await take(at);
      if (bytes === null) return;
      const dueAt = this.#startedAt + (at * 1000) / perSecond;
      const pause = dueAt - performance.now();
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      const answered: Promise<void> = this.#send(bytes, at, dueAt).finally(() =>
        this.#underWay.delete(answered),
      );
      this.#underWay.add(answered);
    }
  }

  async #send(bytes: Uint8Array, at: number, dueAt: number): Promise<void> {
    const { txPerSubmission, onSent } = this.#options;
    const sent = await this.#sender.send(bytes, at);
    onSent?.(at, sent);
    this.#tally.take(sent, txPerSubmission, performance.now() - dueAt);
  }
}
