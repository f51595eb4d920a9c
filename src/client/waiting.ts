/** Bounds in time, with nothing but what all browsers and Node have. */

/**
 * `run` with a signal that ends after `ms`, or with `signal`; of both nothing remains when it is done.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, ms);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Ends early, without an error, when the signal does. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

const PAUSE_MS_MIN = 25;
const PAUSE_MS_MAX = 1_000;

/** Before all are asked again: growing with the rounds, from 0, that were in vain. */
export function pauseMs(round: number): number {
  return Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** round);
}
