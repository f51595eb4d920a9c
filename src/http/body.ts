/**
 * Reads request bodies under three bounds: bytes of one body, bytes of all bodies, and time. A body
 * that is too large is drained to its end before it is refused, so that the client reads the refusal
 * instead of a reset; but neither without end nor without a deadline.
 *
 * H3. `done` is called exactly once, unless the client goes away first: then never.
 * H9. The bytes of a body count until it is freed: until its request has its outcome, or the client
 *     went away before that began. Bodies that arrive slowly take no room from those that come whole.
 */
import { malformed, Problem, unavailable } from '../edge/problem.ts';
import type { Exchange } from './exchange.ts';

export interface BodyLimits {
  /** A whole body must have arrived within this time of its request's head, in milliseconds. */
  readonly bodyMsMax: number;
  /**
   * Bytes of all bodies together that are not freed. A body that comes whole is taken while those that
   * came whole before it are fewer: there are never more than twice as many.
   */
  readonly pendingBytesMax: number;
  /** Bytes of one refused body that are read and thrown away so that the refusal arrives. */
  readonly drainBytesMax: number;
}

export const BODY_LIMITS: BodyLimits = {
  bodyMsMax: 15_000,
  pendingBytesMax: 256 * 1024 * 1024,
  drainBytesMax: 16 * 1024 * 1024,
};

const SWEEP_MS = 250;
const RETRY_MS = 1_000;
/** So many times as long as what has come is the room kept for a body, at most: lengths can be lies. */
const AHEAD = 4;

const NO_BYTES = new Uint8Array(0);

/** A body that has arrived. */
export interface Body {
  /** The caller's own. */
  readonly bytes: Uint8Array;
  /** To be called when they are needed no more; more often does no harm. */
  readonly free: () => void;
}

type Done = (body: Body | Problem) => void;

export class BodyReader {
  readonly #limits: BodyLimits;
  readonly #waiting = new Map<Exchange, PendingBody>();
  readonly #sweep: NodeJS.Timeout;
  #arrivingBytes = 0;
  #arrivedBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#sweep = setInterval(() => this.#expire(), Math.min(SWEEP_MS, limits.bodyMsMax));
    this.#sweep.unref();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  read(exchange: Exchange, bytesMax: number, done: Done): void {
    const declared = exchange.headers.get('content-length');
    if (declared !== undefined && !/^[0-9]{1,15}$/.test(declared)) {
      return done(closing(malformed('not a length', 'Content-Length')));
    }
    if (Number(declared ?? 0) > this.#limits.drainBytesMax) return done(tooLarge(bytesMax, true));
    const pending = this.#begin(exchange, bytesMax, Number(declared ?? NaN), done);
    exchange.onBody((chunk, last) => {
      if (this.#waiting.get(exchange) === pending) this.#add(pending, chunk, last);
    });
  }

  /** The client has gone: forget what it sent. */
  abandon(exchange: Exchange): void {
    const pending = this.#waiting.get(exchange);
    if (pending !== undefined) this.#end(pending);
  }

  #begin(exchange: Exchange, bytesMax: number, declared: number, done: Done): PendingBody {
    const deadline = performance.now() + this.#limits.bodyMsMax;
    const pending: PendingBody = {
      buffer: NO_BYTES,
      seen: 0,
      declared,
      exchange,
      bytesMax,
      deadline,
      done,
      refusal: null,
    };
    this.#waiting.set(exchange, pending);
    return pending;
  }

  #add(pending: PendingBody, chunk: Uint8Array, last: boolean): void {
    // Nearly every body comes whole.
    const isWhole = pending.seen === 0 && (last || chunk.length === pending.declared);
    pending.seen += chunk.length;
    const room = last ? pending.seen : roomFor(pending);
    if (pending.seen > pending.bytesMax) this.#refuse(pending, tooLarge(pending.bytesMax));
    else if (!this.#hasRoom(room - pending.buffer.length, isWhole)) this.#refuse(pending, busy());
    if (pending.refusal === null) this.#keep(pending, chunk, room);
    if (last) this.#finish(pending);
    else if (pending.seen > this.#limits.drainBytesMax) {
      this.#end(pending);
      pending.done(tooLarge(pending.bytesMax, true));
    }
  }

  #hasRoom(bytes: number, isWhole: boolean): boolean {
    const taken = this.#arrivedBytes + (isWhole ? 0 : this.#arrivingBytes);
    return taken + bytes <= this.#limits.pendingBytesMax;
  }

  #keep(pending: PendingBody, chunk: Uint8Array, room: number): void {
    const { buffer, seen } = pending;
    if (room > buffer.length) {
      pending.buffer = new Uint8Array(room);
      pending.buffer.set(buffer);
      this.#arrivingBytes += room - buffer.length;
    }
    pending.buffer.set(chunk, seen - chunk.length);
  }

  /** From here on the body is only drained. */
  #refuse(pending: PendingBody, refusal: Problem): void {
    pending.refusal ??= refusal;
    this.#forget(pending);
  }

  #finish(pending: PendingBody): void {
    const { refusal, buffer, seen, done } = pending;
    this.#end(pending);
    done(refusal ?? this.#arrived(buffer.length === seen ? buffer : buffer.slice(0, seen)));
  }

  #arrived(bytes: Uint8Array): Body {
    // The caller may hand the bytes to another thread: then they have no length here any more.
    let counted = bytes.length;
    this.#arrivedBytes += counted;
    const free = (): void => {
      this.#arrivedBytes -= counted;
      counted = 0;
    };
    return { bytes, free };
  }

  #forget(pending: PendingBody): void {
    this.#arrivingBytes -= pending.buffer.length;
    pending.buffer = NO_BYTES;
  }

  #end(pending: PendingBody): void {
    this.#waiting.delete(pending.exchange);
    this.#forget(pending);
  }

  #expire(): void {
    const now = performance.now();
    for (const pending of this.#waiting.values()) {
      // A map keeps the order of insertion, which is the order of deadlines.
      if (pending.deadline > now) return;
      this.#end(pending);
      pending.done(
        closing(
          new Problem(
            408,
            'body_too_slow',
            `the body did not arrive in ${this.#limits.bodyMsMax} ms`,
          ),
        ),
      );
    }
  }
}

interface PendingBody {
  /** What has arrived, with room for more behind it; empty once the body is only drained. */
  buffer: Uint8Array;
  /** Bytes that have arrived, kept or not. */
  seen: number;
  /** NaN where no length is told. */
  readonly declared: number;
  readonly exchange: Exchange;
  readonly bytesMax: number;
  readonly deadline: number;
  readonly done: Done;
  refusal: Problem | null;
}

function tooLarge(bytesMax: number, close = false): Problem {
  return new Problem(413, 'too_large', `the body may have at most ${bytesMax} bytes`, { close });
}

function busy(): Problem {
  return unavailable('busy', 'too many requests are arriving at once', RETRY_MS);
}

function closing(problem: Problem): Problem {
  return new Problem(problem.status, problem.code, problem.detail, {
    close: true,
    ...(problem.field === null ? {} : { field: problem.field }),
  });
}

/** As much as the body will take, when enough of it has come. */
function roomFor({ buffer, seen, declared, bytesMax }: PendingBody): number {
  if (seen <= buffer.length) return buffer.length;
  const expected = Number.isNaN(declared) ? bytesMax : Math.min(declared, bytesMax);
  return Math.max(seen, Math.min(expected, AHEAD * seen));
}
