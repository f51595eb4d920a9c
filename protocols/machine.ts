/**
 * What a protocol machine gives back for one input, and the contract its shell keeps.
 *
 * A machine is `step(input, now): Output`. The shell (actors/) runs it: it steps every waiting
 * input, appends all `events` in one write, and only then releases `effects` (rules P1, P2).
 * Nothing else in the system knows about durability.
 */
import type { Millis } from './types.ts';

/** A durable fact, addressed to its place in a stream of the node's log. */
export interface LogEvent {
  /** `consensus`, `chain`, `voting`, `lane-0` …; one writer per stream. */
  readonly stream: string;
  /** Position in the stream, from 0, without gaps. It comes from the protocol, never from a sequence. */
  readonly seq: number;
  /** What the payload is; a key of the stream's event registry. */
  readonly kind: string;
  /** msgpack of the event; small. */
  readonly header: Uint8Array;
  /** Large bytes that belong to the event and are stored beside it, as they came from the wire. */
  readonly body?: Uint8Array;
  /** BLAKE3 of `body` where it was computed already: the hash chain uses it instead of hashing again. */
  readonly bodyDigest?: string;
  /** Digests (64 hex characters) under which `findLog` finds this event, such as submission ids. */
  readonly keys?: readonly string[];
}

/** One read of the node's log during recovery. */
export interface LogRead {
  readonly stream: string;
  /** First position wanted, or only the stream's last event. */
  readonly from: number | 'last';
  /** Whether the bodies are wanted beside the headers. */
  readonly bodies: boolean;
}

/** The newest snapshot of the executed state that is kept, of a height up to this one. */
export interface SnapshotRead {
  readonly snapshotUpTo: number;
}

export type RecoveryRead = LogRead | SnapshotRead;

/** What a SnapshotRead gives: its parts in order, then what was kept with the last; or that there is none. */
export type SnapshotFound =
  | { readonly kind: 'part'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly height: number; readonly head: Uint8Array }
  | { readonly kind: 'none' };

export interface Output<Effect> {
  /** Must be durable before any of `effects` leaves. */
  readonly events: LogEvent[];
  /** Written with the next durable write, or soon: nothing waits for them (they can be derived again). */
  readonly deferred: LogEvent[];
  /** Leave after the events of this and every earlier step are durable. */
  readonly effects: Effect[];
  /** Leave at once: only what rule P2 names (proposals, finality, receipts) and cumulative reports. */
  readonly immediate: Effect[];
}

export function newOutput<Effect>(): Output<Effect> {
  return { events: [], deferred: [], effects: [], immediate: [] };
}

export interface Machine<Input, Effect, Status = unknown> {
  /** Synchronous and total. Throws only `InvariantViolation`. */
  step(input: Input, now: Millis): Output<Effect>;
  /** What recovery should read next, given all that `recover` was told; null when it is complete. */
  nextRecovery(): RecoveryRead | null;
  /** Recovery: one stored event, in stream order, before the first `step`. */
  recover(event: LogEvent): void;
  /** The answer to a SnapshotRead: only for a machine that asks for one. */
  recoverSnapshot?(found: SnapshotFound): void;
  /** What people and metrics are shown (status.ts); cheap. */
  status(): Status;
}

/** Our bug, or a log that is not what we wrote. The actor dies; it is never swallowed. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** An exhaustive switch ends here; reaching it is our bug. */
export function unreachable(value: never): never {
  throw new InvariantViolation('unreachable', `unhandled kind: ${JSON.stringify(value)}`);
}
