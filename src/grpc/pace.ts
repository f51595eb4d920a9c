/** How fast one call may go, and how slow. */
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerListener,
} from '@grpc/grpc-js';

/** From the end of a stream to that of its connection, in milliseconds, if nobody reads it. */
const LAST_WORDS_MS = 2_000;

/**
 * When nothing has moved for `ms` the stream is told so; when that does not end it, it is cut. What came
 * while this process stood still is read first: that it was late is nobody's fault but its own.
 */
export class Idle {
  readonly #tell: () => void;
  readonly #cut: () => void;
  #timer: NodeJS.Timeout;
  #reading: NodeJS.Immediate | null = null;
  #isTold = false;

  constructor(ms: number, tell: () => void, cut: () => void) {
    this.#tell = tell;
    this.#cut = cut;
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  moved(): void {
    if (this.#isTold) return;
    this.#endLook();
    this.#timer.refresh();
  }

  end(): void {
    this.#endLook();
    clearTimeout(this.#timer);
  }

  /** Sockets are read once before the first of these, and once more before the second. */
  #look(): void {
    this.#reading = setImmediate(() => {
      this.#reading = setImmediate(() => this.#expired());
    });
  }

  #endLook(): void {
    if (this.#reading !== null) clearImmediate(this.#reading);
    this.#reading = null;
  }

  #expired(): void {
    this.#isTold = true;
    this.#timer = setTimeout(this.#cut, LAST_WORDS_MS);
    this.#tell();
  }
}

/** Counts the requests of one call against its answers. */
export class Pace {
  readonly #unansweredMax: number;
  #unanswered = 0;
  #held: (() => void) | null = null;

  constructor(unansweredMax: number) {
    this.#unansweredMax = unansweredMax;
  }

  /** One at a time: the next is not read before this one is delivered. */
  take(deliver: () => void): void {
    if (this.#unanswered >= this.#unansweredMax) {
      this.#held = deliver;
      return;
    }
    this.#unanswered++;
    deliver();
  }

  /** An answer has left. */
  answered(): void {
    this.#unanswered--;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.take(held);
  }
}

export class PacedCall extends ServerInterceptingCall {
  readonly #answered: () => void;

  constructor(
    call: ServerInterceptingCallInterface,
    listener: ServerListener,
    answered: () => void,
  ) {
    super(call, { start: (next) => next(listener) });
    this.#answered = answered;
  }

  override sendMessage(message: unknown, sent: () => void): void {
    super.sendMessage(message, () => {
      this.#answered();
      sent();
    });
  }
}

/** Cuts the connection of a client that takes no answer for `ms`. */
export class Unread {
  readonly #ms: number;
  readonly #cut: () => void;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(ms: number, cut: () => void) {
    this.#ms = ms;
    this.#cut = cut;
  }

  /** An answer waits for the client. The end of a call does not: flow control holds data back alone. */
  waits(): void {
    if (!this.#isOver) this.#timer ??= setTimeout(this.#cut, this.#ms);
  }

  taken(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** All was taken, or the client has gone. */
  over(): void {
    this.#isOver = true;
    this.taken();
  }
}

/** A call whose answers the client is to take in time. */
export class ReadCall extends ServerInterceptingCall {
  readonly #unread: Unread;

  constructor(call: ServerInterceptingCallInterface, listener: ServerListener, unread: Unread) {
    super(call, { start: (next) => next(listener) });
    this.#unread = unread;
  }

  override sendMessage(message: unknown, sent: () => void): void {
    this.#unread.waits();
    super.sendMessage(message, () => {
      this.#unread.taken();
      sent();
    });
  }
}
