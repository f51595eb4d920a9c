/**
 * The host of one actor in a worker thread: its log, its timers, and the thread's way to the other
 * actors and to peers. It also measures what the actor costs.
 *
 * I20. After `close` the actor hears nothing more: neither timers nor answers of its log.
 */
import type { LogEvent } from '../protocols/machine.ts';
import type { ActorName, LocalMessage, PeerMessage } from '../protocols/messages.ts';
import type { Millis, ValidatorIndex } from '../protocols/types.ts';
import { packMessage } from '../protocols/wire.ts';
import type { Host, Log } from './host.ts';
import { EVERYONE, type Parcel } from './parcel.ts';
import { Timers } from './timers.ts';

/** What an actor's host needs of the thread it lives in. */
export interface Surroundings {
  tell(to: ActorName, message: LocalMessage): void;
  /** Hands something over to the main thread. */
  toMain(parcel: Parcel): void;
  timerFired(timer: string): void;
  failed(error: Error): void;
  /** The actor has just done something: its status may have changed. */
  turned(): void;
}

export interface HostStats {
  runMs: number;
  appendMs: number;
  /** Since it was last read. */
  appendMsMax: number;
}

export class ThreadHost implements Host {
  readonly stats: HostStats = { runMs: 0, appendMs: 0, appendMsMax: 0 };
  readonly #log: Log;
  readonly #around: Surroundings;
  readonly #timers: Timers;
  #closed = false;

  constructor(log: Log, around: Surroundings) {
    this.#log = log;
    this.#around = around;
    this.#timers = new Timers((timer) => around.timerFired(timer));
  }

  close(): void {
    this.#closed = true;
    this.#timers.clearAll();
  }

  now(): Millis {
    return Date.now();
  }

  setTimer(timer: string, at: Millis): void {
    if (!this.#closed) this.#timers.set(timer, at);
  }

  clearTimer(timer: string): void {
    this.#timers.clear(timer);
  }

  soon(task: () => void): void {
    setImmediate(() => this.#run(task));
  }

  append(events: readonly LogEvent[], done: (error?: Error) => void): void {
    const since = performance.now();
    this.#log.append(events, (error) => {
      const tookMs = performance.now() - since;
      this.stats.appendMs += tookMs;
      this.stats.appendMsMax = Math.max(this.stats.appendMsMax, tookMs);
      this.#run(() => done(error));
    });
  }

  read(
    range: { stream: string; from: number; to: number; bytesMax: number; bodies: boolean },
    done: (error: Error | null, events: readonly LogEvent[]) => void,
  ): void {
    this.#log.read(range, (error, events) => this.#run(() => done(error, events)));
  }

  readLast(stream: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    this.#log.readLast(stream, (error, event) => this.#run(() => done(error, event)));
  }

  find(key: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    this.#log.find(key, (error, event) => this.#run(() => done(error, event)));
  }

  tell(to: ActorName, message: LocalMessage): void {
    this.#around.tell(to, message);
  }

  send(to: ValidatorIndex, message: PeerMessage, body?: Uint8Array): void {
    const envelope = packMessage(message);
    const parcel = { kind: 'peerOut', to, message: message.kind, envelope } as const;
    this.#around.toMain(body === undefined ? parcel : { ...parcel, body });
  }

  /** Packed once; every peer gets the same bytes. */
  broadcast(message: PeerMessage, body?: Uint8Array): void {
    this.send(EVERYONE, message, body);
  }

  peerFault(peer: ValidatorIndex, code: string, detail: string): void {
    this.#around.toMain({ kind: 'peerFault', peer, code, detail });
  }

  failed(error: Error): void {
    if (!this.#closed) this.#around.failed(error);
  }

  #run(task: () => void): void {
    if (this.#closed) return;
    const since = performance.now();
    task();
    this.stats.runMs += performance.now() - since;
    this.#around.turned();
  }
}
