/** What threads and the supervisor of one node tell each other about themselves. Plain data. */
import type { ProtocolActor } from '../protocols/messages.ts';
import type { ActorStatuses } from '../protocols/status.ts';

export type Command =
  /** Finish what waits, make it durable, end. */
  | 'stop'
  /** End at once, as if the process had died. */
  | 'halt';

/** Why an actor cannot go on, as data that survives a thread boundary. */
export interface Failure {
  readonly actor: ProtocolActor | 'thread';
  /** `InvariantViolation`, `LogError`, … */
  readonly name: string;
  /** The error's own code, or its name. */
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

/** Sums since the thread started, unless said otherwise; times in milliseconds. */
export interface ActorStats {
  readonly turns: number;
  readonly inputs: number;
  readonly appends: number;
  readonly events: number;
  /** Inputs that wait now. */
  readonly mailbox: number;
  readonly waitMs: number;
  readonly runMs: number;
  readonly appendMs: number;
  readonly appendMsMax: number;
}

export interface LinkCounters {
  readonly frames: number;
  readonly messages: number;
  /** From a frame's packing to its unpacking on the other thread. */
  readonly crossingMs: number;
  readonly crossingMsMax: number;
}

export interface ThreadStats {
  readonly thread: number;
  readonly actors: Readonly<Partial<Record<ProtocolActor, ActorStats>>>;
  /** Frames that arrived in this thread. */
  readonly arrived: LinkCounters;
  /** Over the last interval. */
  readonly loopLagMs: { readonly mean: number; readonly max: number };
  readonly heapUsedBytes: number;
}

export type Report =
  /** Every actor of the thread has recovered from its log. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'statuses'; readonly statuses: Partial<ActorStatuses> }
  | { readonly kind: 'stats'; readonly stats: ThreadStats }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'stopped' };

export function failureOf(actor: Failure['actor'], error: unknown): Failure {
  const { name, message, stack = '' } =
    error instanceof Error ? error : new Error(String(error));
  const code = (error as { code?: unknown } | null)?.code;
  return { actor, name, code: typeof code === 'string' ? code : name, message, stack };
}
