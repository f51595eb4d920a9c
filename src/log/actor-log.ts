/**
 * One actor's access to its node's log: the part of `Host` that the log implements.
 *
 * It has two connections of its own, so that its appends wait neither for another actor's nor for
 * its own reads, and a third one while it prunes. It opens in the thread that uses it, from plain data; the identity is held by the
 * main thread (node-log.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { LogEvent } from '../../protocols/machine.ts';
import { connect, isTransient, withTimeout, type Link } from './connection.ts';
import { LogError, type LogLogger } from './errors.ts';
import { Pruner } from './pruner.ts';
import { LogReader, READER_SETTINGS, type ReadRange } from './reader.ts';
import type { LogIdentity } from './schema.ts';
import { LogWriter } from './writer.ts';

/** For a log that is read on behalf of clients, who come in any number and do not wait for long. */
export interface ReadBounds {
  /** From its request to its answer, in milliseconds: `unavailable` after that. */
  readonly readMs: number;
  /** Reads that are not over: more are `unavailable` at once. */
  readonly readsMax: number;
}

/** Plain data: may be posted to a worker thread. The URL holds a password: never log it. */
export interface ActorLogOptions extends LogIdentity {
  readonly url: string;
  /** Names the connections, and the lock that keeps a second writer of this actor out. */
  readonly actor: string;
  /** Of the process (session-lock.ts): a writer may end what is left of earlier ones of the same run. */
  readonly run: string;
  /** How long an append or a read is retried when the database is away; default 15 000. */
  readonly retryMs?: number;
  /** After how long without an answer a connection counts as lost; default 10 000. */
  readonly answerMs?: number;
  /** Absent for an actor, which asks as fast as it is answered. */
  readonly reads?: ReadBounds;
}

export interface ActorLog {
  /** All events or none. `done()` means durable; an error is final, and every later append gets it. */
  append(events: readonly LogEvent[], done: (error?: Error) => void): void;
  /** Events `from … to − 1`, cut once `bytesMax` is reached, but at least one if there is one. */
  read(range: ReadRange, done: (error: Error | null, events: readonly LogEvent[]) => void): void;
  readLast(stream: string, done: (error: Error | null, event: LogEvent | null) => void): void;
  find(key: string, done: (error: Error | null, event: LogEvent | null) => void): void;
  /** Events of the stream below `seq` may go, soon; its last one stays. A read from below finds nothing. */
  prune(stream: string, seq: number): void;
  /** Returns once every append is answered and the connections have ended. */
  close(): Promise<void>;
}

const RETRY_MS = 15_000;
const ANSWER_MS = 10_000;
const READ_PAUSE_MS = 100;

/**
 * Connects, waiting for an earlier session of the same actor to be gone.
 * Errors: `identity_taken`, `unsafe_server`, `bad_url`, `unavailable`.
 */
export async function openActorLog(options: ActorLogOptions, logger: LogLogger): Promise<ActorLog> {
  const { url, actor, run, clusterId, publicKey, reads: bounds = null } = options;
  const retryMs = options.retryMs ?? RETRY_MS;
  const answerMs = options.answerMs ?? ANSWER_MS;
  const shared = { url, actor, clusterId, publicKey, retryMs, answerMs };
  const writer = new LogWriter({ ...shared, run, logger });
  try {
    await writer.open();
  } catch (error) {
    await writer.close();
    throw error;
  }
  const reads = new Reads({ ...shared, bounds });
  const pruner = new Pruner({ ...shared, logger });
  return {
    append: (events, done) => writer.append(events, done),
    read: (range, done) =>
      reads.run(
        (reader) => reader.read(range),
        (error, found) => done(error, found?.map(({ event }) => event) ?? []),
      ),
    readLast: (stream, done) =>
      reads.run(
        (reader) => reader.readLast(stream),
        (error, found) => done(error, found?.event ?? null),
      ),
    find: (key, done) =>
      reads.run(
        (reader) => reader.find(key),
        (error, found) => done(error, found?.event ?? null),
      ),
    prune: (stream, seq) => pruner.prune(stream, seq),
    close: async () => {
      await pruner.close();
      await reads.close();
      await writer.close();
    },
  };
}

interface ReadsOptions extends LogIdentity {
  readonly url: string;
  readonly actor: string;
  readonly retryMs: number;
  readonly answerMs: number;
  readonly bounds: ReadBounds | null;
}

/** A read on its way, which is answered once: by the database, or by its deadline. */
class PendingRead<T> {
  readonly #done: (error: Error | null, result: T | null) => void;
  readonly #deadline: NodeJS.Timeout | undefined;
  isAnswered = false;

  constructor(done: (error: Error | null, result: T | null) => void, readMs: number | null) {
    this.#done = done;
    if (readMs === null) return;
    const late = new LogError('unavailable', `the log did not answer within ${readMs} ms`);
    this.#deadline = setTimeout(() => this.answer(late, null), readMs);
  }

  answer(error: Error | null, result: T | null): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    clearTimeout(this.#deadline);
    // Called from outside the promise: what the caller throws is the caller's, not ours to swallow.
    setImmediate(this.#done, error, result);
  }
}

/**
 * Reads one after the other, on a connection made when the first one comes. While the database owes
 * an answer whose deadline is over, bounded reads are refused.
 */
class Reads {
  readonly #options: ReadsOptions;
  readonly #streams = new Map<string, number>();
  #link: Link | null = null;
  #last: Promise<void> = Promise.resolve();
  #current: { readonly isAnswered: boolean } | null = null;
  #waiting = 0;
  #closed = false;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  run<T>(
    work: (reader: LogReader) => Promise<T>,
    done: (error: Error | null, result: T | null) => void,
  ): void {
    const { bounds } = this.#options;
    const read = new PendingRead(done, bounds?.readMs ?? null);
    if (bounds !== null && (this.#waiting >= bounds.readsMax || this.#current?.isAnswered)) {
      return read.answer(new LogError('unavailable', 'the log is behind with its reads'), null);
    }
    this.#waiting++;
    this.#last = this.#last.then(async () => {
      this.#current = read;
      try {
        if (!read.isAnswered) read.answer(null, await this.#retrying(work, read));
      } catch (error) {
        read.answer(error as Error, null);
      }
      this.#current = null;
      this.#waiting--;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#link?.close();
  }

  async #retrying<T>(work: (reader: LogReader) => Promise<T>, asked: PendingRead<T>): Promise<T> {
    const { retryMs, answerMs } = this.#options;
    const deadline = performance.now() + retryMs;
    for (;;) {
      if (this.#closed) throw new LogError('closed', 'the log was closed');
      try {
        const link = await this.#ensureLink();
        const reader = new LogReader(link.client, this.#options, this.#streams);
        return await withTimeout(link, answerMs, work(reader));
      } catch (error) {
        const isOver = asked.isAnswered || performance.now() > deadline;
        if (!isTransient(error) || isOver) throw error;
        this.#link?.destroy();
        this.#link = null;
      }
      await pause(READ_PAUSE_MS);
    }
  }

  async #ensureLink(): Promise<Link> {
    if (this.#link?.broken() === null) return this.#link;
    const { url, actor, answerMs } = this.#options;
    const link = await connect(url, `althing ${actor} reader`);
    this.#link = link;
    await withTimeout(link, answerMs, link.client.query(READER_SETTINGS));
    return link;
  }
}
