/**
 * Heights as they were last read, shared by all subscribers, and the reader that reads what they lack:
 * one page at a time, with a pause after each.
 *
 * S6. What is held is bounded by bytes, however far apart the subscribers are: who is at a place that
 *     is not held waits for it to be read again. The newest place and the one wanted for longest take
 *     turns, so that those who are far behind and those who are not do not hold each other up.
 */
import type { StreamClock } from './pace.ts';
import type { DecodedPart, Height, Part } from './parts.ts';
import type { StreamSource } from './source.ts';

const PAGES_BYTES_MAX = 16 * 1024 * 1024;
const PAGES_MAX = 256;
const DECODED_BYTES_MAX = 32 * 1024 * 1024;
/** Also what a block waits for its receipts at first: they are written some 20 ms after it. */
const PAUSE_MS = 20;
const RETRY_MS_MAX = 500;

interface Page {
  readonly from: number;
  readonly heights: readonly Height[];
  readonly bytes: number;
}

export interface Readers {
  /** Heights that somebody waits for, those first that were asked for first. */
  wanted(): Iterable<number>;
  /** Those who wait for a place may look again. */
  arrived(): void;
  /** A read failed: while somebody waits it is tried again. */
  failed(error: unknown): void;
}

export class Pages {
  readonly #source: StreamSource;
  readonly #clock: StreamClock;
  readonly #readers: Readers;
  /** In order of use. */
  #pages: Page[] = [];
  #bytes = 0;
  readonly #decoded = new Map<Part, DecodedPart>();
  #decodedBytes = 0;
  #isReading = false;
  #cancel: (() => void) | null = null;
  #notBefore = 0;
  #retryMs = PAUSE_MS;
  #newestTurn = true;
  #closed = false;
  /** Since the start. */
  reads = 0;

  constructor(source: StreamSource, clock: StreamClock, readers: Readers) {
    this.#source = source;
    this.#clock = clock;
    this.#readers = readers;
  }

  /** Of the log and decoded, roughly, in bytes. */
  get heldBytes(): number {
    return this.#bytes + this.#decodedBytes;
  }

  /** Null when it is not held. */
  find(height: number): Height | null {
    for (let at = this.#pages.length - 1; at >= 0; at--) {
      const page = this.#pages[at]!;
      const found = page.heights[height - page.from];
      if (found === undefined) continue;
      if (at < this.#pages.length - 1) this.#pages.push(...this.#pages.splice(at, 1));
      return found;
    }
    return null;
  }

  decoded(part: Part, base: number): DecodedPart {
    const known = this.#decoded.get(part);
    if (known !== undefined) return known;
    const made = part.decode(base);
    this.#decoded.set(part, made);
    this.#decodedBytes += part.weight;
    for (const oldest of this.#decoded.keys()) {
      if (this.#decodedBytes <= DECODED_BYTES_MAX || oldest === part) break;
      this.#decoded.delete(oldest);
      this.#decodedBytes -= oldest.weight;
    }
    return made;
  }

  /** Somebody waits, or the newest height has changed. */
  wake(): void {
    if (this.#isReading || this.#cancel !== null || this.#closed) return;
    if (this.#next() === null) return;
    const restMs = Math.max(PAUSE_MS, this.#notBefore - this.#clock.now());
    this.#cancel = this.#clock.after(restMs, () => {
      this.#cancel = null;
      void this.#readNext();
    });
  }

  /** Nobody is there. */
  clear(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#pages = [];
    this.#bytes = 0;
    this.#decoded.clear();
    this.#decodedBytes = 0;
  }

  close(): void {
    this.#closed = true;
    this.clear();
  }

  /** Of the wanted heights that may be there. */
  #next(): number | null {
    const known = this.#source.known();
    let newest: number | null = null;
    for (const height of this.#readers.wanted()) {
      if (known !== null && height > known) continue;
      if (!this.#newestTurn) return height;
      newest = Math.max(newest ?? 0, height);
    }
    return newest;
  }

  async #readNext(): Promise<void> {
    const height = this.#next();
    if (height === null || this.#closed) return;
    this.#newestTurn = !this.#newestTurn;
    this.#isReading = true;
    try {
      this.#took(height, await this.#source.read(height));
    } catch (error) {
      this.#later();
      if (!this.#closed) this.#readers.failed(error);
    }
    this.#isReading = false;
    this.wake();
  }

  #took(height: number, heights: readonly Height[]): void {
    this.reads++;
    if (heights.length === 0) return this.#later();
    this.#retryMs = PAUSE_MS;
    this.#notBefore = 0;
    const bytes = heights.reduce((sum, each) => sum + each.bytes, 0);
    this.#pages.push({ from: height, heights, bytes });
    this.#bytes += bytes;
    while (this.#pages.length > 1) {
      if (this.#bytes <= PAGES_BYTES_MAX && this.#pages.length <= PAGES_MAX) break;
      this.#bytes -= this.#pages.shift()!.bytes;
    }
    this.#readers.arrived();
  }

  /** What was wanted was not there: asked for again, ever more rarely. */
  #later(): void {
    this.#notBefore = this.#clock.now() + this.#retryMs;
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs);
  }
}
