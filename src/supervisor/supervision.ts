/**
 * What happens when an actor fails. All four of a node start again from the log together: they share
 * knowledge (what is held, what is final, who waits), and a fresh start is the one state that all of
 * them reach by construction.
 *
 * I17. What shows a wrong log, a diverged state or a second writer stops the node at once, with the
 *      exit code of its kind; anything else is retried with back-off until it fails too often.
 */

export type Verdict =
  | { readonly kind: 'restart'; readonly afterMs: number }
  | { readonly kind: 'stop'; readonly exitCode: number };

const FAILURES_MAX = 5;
const WINDOW_MS = 60_000;
const BACKOFF_FIRST_MS = 100;

/** Codes of errors that no restart heals. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  state_diverged: 4,
  identity_taken: 5,
  unsafe_server: 2,
  wrong_identity: 2,
  wrong_schema: 2,
  bad_heads: 2,
  bad_url: 2,
  bad_key: 2,
  conflicting_final: 1,
  own_equivocation: 1,
  own_batch_lost: 3,
  program_missing: 2,
};

/** The log does not say what this node wrote: `log_altered`, `log_malformed`, `log_diverged`, … */
const LOG_CODE = /^log_/;
const LOG_EXIT_CODE = 3;

export function exitCodeOf(code: string): number {
  return LOG_CODE.test(code) ? LOG_EXIT_CODE : (EXIT_CODES[code] ?? 1);
}

export class Supervision {
  #failures: number[] = [];

  /** @param now monotonic milliseconds */
  failed(code: string, now: number): Verdict {
    if (code in EXIT_CODES || LOG_CODE.test(code))
      return { kind: 'stop', exitCode: exitCodeOf(code) };
    this.#failures = this.#failures.filter((at) => now - at < WINDOW_MS);
    this.#failures.push(now);
    if (this.#failures.length > FAILURES_MAX) return { kind: 'stop', exitCode: 1 };
    return { kind: 'restart', afterMs: BACKOFF_FIRST_MS * 2 ** (this.#failures.length - 1) };
  }
}
