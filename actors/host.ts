/**
 * What a shell needs from the place it runs in. Two hosts stand behind this one interface: a worker
 * thread with PostgreSQL and gRPC in production, and the deterministic simulator in test/sim.
 *
 * Callbacks instead of promises: the simulator decides when each of them fires, and a turn costs no
 * microtask.
 */
import type { LogEvent, SnapshotFound } from '../protocols/machine.ts';
import type { ActorName, Effect, LocalMessage, PeerMessage } from '../protocols/messages.ts';
import type { Millis, ValidatorIndex } from '../protocols/types.ts';

/** The node's log as one actor uses it. An answer may come at any time, in any order. */
export interface Log {
  /**
   * Appends all events or none, each at the expected end of its stream. `done()` means durable: on
   * disk, surviving power loss. `done(error)` means not written, and is final for this process: the
   * log retries what can be retried below this call.
   */
  append(events: readonly LogEvent[], done: (error?: Error) => void): void;
  /** Events `from … to − 1`, cut once `bytesMax` is reached (but at least one if there is one). */
  read(
    range: { stream: string; from: number; to: number; bytesMax: number; bodies: boolean },
    done: (error: Error | null, events: readonly LogEvent[]) => void,
  ): void;
  readLast(stream: string, done: (error: Error | null, event: LogEvent | null) => void): void;
  /** The newest event that carries `key`. */
  find(key: string, done: (error: Error | null, event: LogEvent | null) => void): void;
  /** Events of the stream below `seq` may go, soon; its last one stays. A read from below finds nothing. */
  prune(stream: string, seq: number): void;
}

/** The node's snapshots of the executed state, in files beside its log. */
export interface SnapshotStore {
  /** Keeps the next part of a snapshot (Effect `keepSnapshot`). With an error nothing is kept of it. */
  keepSnapshot(part: SnapshotPart, done: (error?: Error) => void): void;
  /** Gives the parts of the newest one up to a height, then which that is; or null when there is none. */
  readSnapshot(
    upTo: number,
    part: (bytes: Uint8Array) => void,
    done: (error: Error | null, found: KeptSnapshot | null) => void,
  ): void;
}

export type KeptSnapshot = Omit<Extract<SnapshotFound, { kind: 'end' }>, 'kind'>;
export type SnapshotPart = Omit<Extract<Effect, { kind: 'keepSnapshot' }>, 'kind'>;

export interface Host extends Log, SnapshotStore {
  /** Wall clock in whole milliseconds. It may be set, also back: the machines take care of that. */
  now(): Millis;
  /**
   * One timer per name and actor; a second call moves it. Fires as `timerFired` on the shell, after as
   * long as it was to `at` when it was set: a clock that is set meanwhile neither hurries nor stops it,
   * and may show less than `at` when it fires.
   */
  setTimer(timer: string, at: Millis): void;
  clearTimer(timer: string): void;
  /** Runs `task` after what is already waiting has been delivered: the start of the next turn. */
  soon(task: () => void): void;

  tell(to: ActorName, message: LocalMessage): void;
  send(to: ValidatorIndex, message: PeerMessage, body?: Uint8Array): void;
  broadcast(message: PeerMessage, body?: Uint8Array): void;
  peerFault(peer: ValidatorIndex, code: string, detail: string): void;

  /** The actor cannot go on: supervision decides (restart from the log, or stop the node). */
  failed(error: Error): void;
}
