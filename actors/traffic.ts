/**
 * What travels between the threads of a node, and what is done with each kind when the receiver does
 * not keep up. Nothing is ever dropped silently: every refusal is counted or answered.
 */
import type { ActorName, LocalMessage, PeerClass, ProtocolActor } from '../protocols/messages.ts';
import type { ActorStatuses } from '../protocols/status.ts';
import type { ValidatorIndex } from '../protocols/types.ts';

/** One thing for one thread. `bodies` of messages travel beside the msgpack, transferred. */
export type Item =
  /** From actor to actor, or between an actor and the edge. */
  | { readonly kind: 'local'; readonly to: ActorName; readonly message: LocalMessage }
  /** A peer's frames as they came from the network: decoded by the thread that they are for. */
  | {
      readonly kind: 'peerIn';
      readonly from: ValidatorIndex;
      readonly to: ProtocolActor;
      readonly envelope: Uint8Array;
      readonly body?: Uint8Array;
    }
  /** To one peer, or to all when `to` is null. Packed once by the sending actor's thread. */
  | {
      readonly kind: 'peerOut';
      readonly to: ValidatorIndex | null;
      readonly peerClass: PeerClass;
      readonly envelope: Uint8Array;
      readonly body?: Uint8Array;
    }
  | { readonly kind: 'peerLink'; readonly peer: ValidatorIndex; readonly up: boolean }
  | { readonly kind: 'fault'; readonly peer: ValidatorIndex; readonly code: string; readonly detail: string }
  | { readonly kind: 'command'; readonly command: 'start' | 'drain' | 'stop' }
  | { readonly kind: 'report'; readonly report: ThreadReport };

export interface ActorLoad {
  readonly actor: ProtocolActor;
  /** Inputs that wait in the mailbox. */
  readonly waiting: number;
  readonly turns: number;
  readonly inputs: number;
  readonly appends: number;
  readonly events: number;
  /** Milliseconds spent in turns since the start. */
  readonly runMs: number;
}

export type ThreadReport =
  | { readonly kind: 'recovered' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly actor: ProtocolActor; readonly code: string; readonly message: string; readonly stack: string }
  | { readonly kind: 'status'; readonly statuses: Partial<ActorStatuses> }
  | { readonly kind: 'load'; readonly thread: string; readonly actors: readonly ActorLoad[]; readonly lagMs: number; readonly crossingMs: number };

/** What a sender does with an item when the receiver is `WINDOW` behind. */
export type WhenFull =
  /** Waits in the sender's queue: what the protocol itself bounds. */
  | 'wait'
  /** The newer one replaces the one that waits: cumulative reports. */
  | 'coalesce'
  /** Not sent, and counted: the protocol says it again or fetches it (rules T3, D4). */
  | 'resendLater';

/** Of every message kind; what clients send is refused before it gets here (link.isFull). */
export function whenFull(item: Item): WhenFull {
  if (item.kind === 'peerOut') return 'resendLater';
  if (item.kind === 'report') return item.report.kind === 'status' ? 'coalesce' : 'wait';
  if (item.kind !== 'local') return 'wait';
  switch (item.message.kind) {
    case 'tipsReported':
    case 'laneRoom':
    case 'executedTo':
    case 'finalTo':
      return 'coalesce';
    default:
      return 'wait';
  }
}

/** Two items of one kind for one receiver, of which the newer one says everything. */
export function supersedes(newer: Item, older: Item): boolean {
  if (newer.kind === 'report' && older.kind === 'report') {
    return newer.report.kind === 'status' && older.report.kind === 'status';
  }
  if (newer.kind !== 'local' || older.kind !== 'local') return false;
  return newer.to === older.to && newer.message.kind === older.message.kind;
}
