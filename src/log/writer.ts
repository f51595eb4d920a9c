/**
 * Appends of one actor, one at a time, each at the expected end of its streams.
 *
 * L8. `done()` is called only after the server has committed the append with fsync.
 * L9. An append is never written twice: after a lost connection the heads in the log tell whether it
 *     is there, and the session lock (writer-session.ts) makes sure that this cannot change any more.
 * L10. A position that is taken by something else means a second writer: `identity_taken`.
 * L11. The first error that retrying cannot heal is final: every later append gets it too.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { InvariantViolation, type LogEvent } from '../../protocols/machine.ts';
import { buildAppend, type AppendMessage, type Head } from './append-message.ts';
import { isTransient, isUniqueViolation, withTimeout, type Link } from './connection.ts';
import { LogError, type LogLogger } from './errors.ts';
import { KEY_BYTES } from './event-row.ts';
import { openStream, readHead } from './heads.ts';
import { RawQuery, send } from './raw-query.ts';
import type { LogIdentity } from './schema.ts';
import type { SessionLock } from './session-lock.ts';
import { endWriterSessions, openWriterSession, writerLock } from './writer-session.ts';

export interface WriterOptions extends LogIdentity {
  readonly url: string;
  readonly actor: string;
  readonly run: string;
  /** How long one append may be retried. */
  readonly retryMs: number;
  /** After how long without an answer a session counts as lost. */
  readonly answerMs: number;
  readonly logger: LogLogger;
}

interface Pending {
  readonly events: readonly LogEvent[];
  readonly done: (error?: Error) => void;
  /** Set once it was sent, and may have been committed. */
  sent: AppendMessage | null;
}

/** A disk slower than this counts as not answering. */
const BYTES_PER_MS_MIN = 5000;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 1000;

export class LogWriter {
  readonly #options: WriterOptions;
  readonly #heads = new Map<string, Head>();
  readonly #watchdog: NodeJS.Timeout;
  readonly #lock: SessionLock;
  #session: Link | null = null;
  #queue: Pending[] = [];
  #pending: Pending | null = null;
  /** When the answer to what is on the wire is overdue. */
  #overdueAt = Infinity;
  #failure: Error | null = null;
  #whenIdle: (() => void) | null = null;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#lock = writerLock(options.actor, options.run);
    this.#watchdog = setInterval(() => this.#watch(), 1000);
    this.#watchdog.unref();
  }

  /** Connects. Errors: those of `openWriterSession`, `unavailable` after `retryMs`. */
  async open(): Promise<void> {
    await this.#retrying(async () => {}, this.#options.answerMs);
  }

  append(events: readonly LogEvent[], done: (error?: Error) => void): void {
    this.#queue.push({ events, done, sent: null });
    this.#pump();
  }

  /** Returns once all appends are answered and the session has ended. */
  async close(): Promise<void> {
    if (this.#pending !== null || this.#queue.length > 0) {
      await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    }
    clearInterval(this.#watchdog);
    this.#failure ??= new LogError('closed', 'the log was closed');
    const { url, answerMs } = this.#options;
    if (this.#session?.broken() === null) await this.#session.close();
    else await endWriterSessions(url, this.#lock, answerMs);
    this.#session = null;
  }

  #pump(): void {
    if (this.#pending !== null) return;
    const pending = this.#queue.shift();
    if (pending === undefined) return this.#whenIdle?.();
    this.#pending = pending;
    if (this.#failure !== null) return queueMicrotask(() => this.#finish(this.#failure));
    const known = pending.events.every(({ stream }) => this.#heads.has(stream));
    if (known && this.#session?.broken() === null) this.#send(pending, this.#session);
    else void this.#recover(pending, null);
  }

  /** The way of almost every append: one message, one answer. */
  #send(pending: Pending, session: Link): void {
    const message = this.#build(pending);
    if (message === null) return;
    this.#overdueAt = performance.now() + this.#answerTime(pending.events);
    const query = new RawQuery(message.bytes, null, (error) => {
      this.#overdueAt = Infinity;
      if (error === null) this.#committed(message);
      else void this.#recover(pending, error);
    });
    session.client.query(query);
  }

  #build(pending: Pending): AppendMessage | null {
    try {
      checkPositions(pending.events, this.#heads);
      pending.sent = buildAppend(pending.events, (stream) => this.#heads.get(stream)!);
      return pending.sent;
    } catch (error) {
      this.#finish(error as Error);
      return null;
    }
  }

  #committed(message: AppendMessage): void {
    for (const [stream, head] of message.heads) this.#heads.set(stream, head);
    this.#finish(null);
  }

  #finish(error: Error | null): void {
    const pending = this.#pending;
    this.#pending = null;
    if (error !== null) this.#failure ??= error;
    if (error === null) pending?.done();
    else pending?.done(error);
    this.#pump();
  }

  /** Everything out of the ordinary: no session, a stream not seen before, an append that failed. */
  async #recover(pending: Pending, cause: Error | null): Promise<void> {
    try {
      if (cause !== null) this.#judge(cause);
      const answerMs = this.#answerTime(pending.events);
      await this.#retrying((session) => this.#settle(pending, session), answerMs);
      this.#finish(null);
    } catch (error) {
      this.#finish(this.#translate(error as Error));
    }
  }

  /** Returns if trying again makes sense, and throws what ends the writer if not. */
  #judge(cause: Error): void {
    if (!isTransient(cause)) throw cause;
    const { actor, logger } = this.#options;
    logger.warn({ actor, reason: cause.message }, 'the log connection failed; retrying');
    this.#dropSession();
  }

  #translate(error: Error): Error {
    if (!isUniqueViolation(error)) return error;
    const message = `another process has written to the log of actor ${this.#options.actor}: only one process may run with this node's key`;
    return new LogError('identity_taken', message, { cause: error });
  }

  /** Makes sure that the append is in the log, once. */
  async #settle(pending: Pending, session: Link): Promise<void> {
    if (pending.sent !== null && (await this.#isThere(pending.sent, session))) {
      for (const [stream, head] of pending.sent.heads) this.#heads.set(stream, head);
      return;
    }
    for (const { stream } of pending.events) {
      if (this.#heads.has(stream)) continue;
      const head = await openStream(session.client, this.#options, stream);
      refuseTaken(pending.events, stream, head);
      this.#heads.set(stream, head);
    }
    checkPositions(pending.events, this.#heads);
    pending.sent = buildAppend(pending.events, (stream) => this.#heads.get(stream)!);
    await send(session.client, pending.sent.bytes);
    for (const [stream, head] of pending.sent.heads) this.#heads.set(stream, head);
  }

  async #isThere(message: AppendMessage, session: Link): Promise<boolean> {
    let there = 0;
    for (const [stream, after] of message.heads) {
      const found = await readHead(session.client, this.#options, stream);
      if (sameHead(found, after)) there++;
      else if (!sameHead(found, this.#heads.get(stream) ?? null)) {
        throw new LogError(
          'identity_taken',
          `stream ${stream} was written by another process while the connection was lost`,
        );
      }
    }
    if (there === message.heads.size) return true;
    if (there === 0) return false;
    throw new LogError(
      'log_altered',
      'an append is there in part, although it was one transaction',
    );
  }

  /** Runs `work` with a session until it succeeds, fails for good, or `retryMs` have passed. */
  async #retrying(work: (session: Link) => Promise<void>, answerMs: number): Promise<void> {
    const { retryMs } = this.#options;
    const deadline = performance.now() + retryMs;
    for (let delay = BACKOFF_FIRST_MS; ; delay = Math.min(delay * 2, BACKOFF_MAX_MS)) {
      try {
        const session = await this.#ensureSession();
        return await withTimeout(session, answerMs, work(session));
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.#dropSession();
        if (performance.now() + delay > deadline) throw unavailable(retryMs, error as Error);
      }
      await pause(delay);
    }
  }

  async #ensureSession(): Promise<Link> {
    const { url, answerMs } = this.#options;
    if (this.#session?.broken() === null) return this.#session;
    this.#dropSession();
    this.#session = await openWriterSession(url, this.#lock, answerMs);
    return this.#session;
  }

  /** Large bodies may take longer. */
  #answerTime(events: readonly LogEvent[]): number {
    let bytes = 0;
    for (const { body } of events) bytes += body?.length ?? 0;
    return this.#options.answerMs + bytes / BYTES_PER_MS_MIN;
  }

  #dropSession(): void {
    this.#session?.destroy();
    this.#session = null;
  }

  /** A server that neither answers nor closes: its end is ours to call. */
  #watch(): void {
    if (performance.now() < this.#overdueAt) return;
    this.#overdueAt = Infinity;
    this.#session?.destroy();
  }
}

function unavailable(retryMs: number, cause: Error): LogError {
  const message = `the log's database could not be written for ${retryMs} ms: ${cause.message}`;
  return new LogError('unavailable', message, { cause });
}

function sameHead(a: Head | null, b: Head | null): boolean {
  if (a === null || b === null) return (a?.seq ?? -1) === (b?.seq ?? -1);
  return a.seq === b.seq && a.hash.equals(b.hash);
}

/** What was recovered from is no longer the end: somebody has written since. */
function refuseTaken(events: readonly LogEvent[], stream: string, head: Head): void {
  const first = events.find((event) => event.stream === stream);
  if (first === undefined || first.seq > head.seq) return;
  const message = `position ${first.seq} of stream ${stream} is taken: another process runs with this node's key`;
  throw new LogError('identity_taken', message);
}

/** Every event continues its stream, and its keys are digests. */
function checkPositions(events: readonly LogEvent[], heads: ReadonlyMap<string, Head>): void {
  const ends = new Map<string, number>();
  for (const { stream, seq, keys } of events) {
    const end = ends.get(stream) ?? heads.get(stream)?.seq ?? -1;
    if (seq !== end + 1) {
      throw new InvariantViolation(
        'log_position',
        `event ${seq} of stream ${stream} does not follow ${end}`,
      );
    }
    ends.set(stream, seq);
    for (const key of keys ?? []) {
      if (key.length === KEY_BYTES * 2) continue;
      throw new InvariantViolation(
        'log_key',
        `a key of event ${seq} of stream ${stream} is no digest`,
      );
    }
  }
}
