/** Waiting that a signal cuts short. */

/**
 * Settles as `work` does, or rejects with the signal's reason once that is aborted. Only the wait ends
 * then, `work` goes on unheard: what starts a process must take the signal itself.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return abortable(new Promise<never>(() => {}), signal).catch(() => {});
}
