/**
 * Submissions for runs too long to be signed before they start: a thread of its own signs them in
 * chunks, always a few chunks ahead of the clock, and never more, so that memory stays bounded.
 */
import { Worker } from 'node:worker_threads';
import type { SigningInput } from './signing-worker.ts';

const CHUNKS_AHEAD = 3;

export class SigningAhead {
  readonly #worker: Worker;
  readonly #ready: Uint8Array[][] = [];
  #wanted: (() => void) | null = null;
  #failure: Error | null = null;
  #at = 0;

  constructor(input: SigningInput) {
    this.#worker = new Worker(new URL('./signing-worker.js', import.meta.url), {
      workerData: input,
    });
    this.#worker.on('message', (chunk: Uint8Array[]) => {
      this.#ready.push(chunk);
      this.#wanted?.();
    });
    this.#worker.on('error', (error) => {
      this.#failure = error;
      this.#wanted?.();
    });
    for (let chunk = 0; chunk < CHUNKS_AHEAD; chunk++) this.#worker.postMessage(null);
  }

  /** Resolves once there is something to take. Rejects when the thread has failed. */
  async begun(): Promise<void> {
    while (this.#ready.length === 0) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wanted = resolve));
    }
  }

  /** The next submission, in order. */
  async next(): Promise<Uint8Array> {
    if (this.#ready.length === 0) await this.begun();
    const chunk = this.#ready[0]!;
    const bytes = chunk[this.#at++]!;
    if (this.#at === chunk.length) {
      this.#ready.shift();
      this.#at = 0;
      this.#worker.postMessage(null);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
