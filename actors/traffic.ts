/**
 * What travels between the threads of a node, and what is done with each kind when the receiver does
 * not keep up. Nothing is ever dropped silently: every refusal is counted or answered.
 */
import type { ActorName, LocalMessage, PeerClass, ProtocolActor } from '../protocols/messages.ts';
import type { ActorStatuses } from '../protocols/status.ts';
import type { ValidatorIndex } from '../protocols/types.ts';
import { policyOf } from './policies.ts';

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
  | {
      readonly kind: 'fault';
      readonly peer: ValidatorIndex;
      readonly code: string;
      readonly detail: string;
    }
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
  /** Milliseconds since the start: from the first input that waited to the turn that took it. */
  readonly waitMs: number;
  /** Milliseconds since the start from an append to its confirmation. */
  readonly appendMs: number;
}

/** What a thread did in the last second, unless said otherwise. */
export interface ThreadLoad {
  readonly thread: string;
  readonly actors: readonly ActorLoad[];
  /** The longest that the event loop kept something waiting. */
  readonly lagMs: number;
  /** The longest way of a frame from another thread into this one. */
  readonly crossingMs: number;
  /** Items dropped since the start because the main thread was too far behind (`resendLater`). */
  readonly resendLater: number;
  /** Takes nothing from peers and clients for now, because a receiver is behind. */
  readonly outsideHeld: boolean;
}

export type ThreadReport =
  | { readonly kind: 'recovered' }
  | { readonly kind: 'stopped' }
  | {
      readonly kind: 'failed';
      readonly actor: ProtocolActor;
      readonly code: string;
      readonly message: string;
      readonly stack: string;
    }
  | { readonly kind: 'status'; readonly statuses: Partial<ActorStatuses> }
  | { readonly kind: 'load'; readonly load: ThreadLoad };

/**
 * Classes of items on a link. While credit is short, lower goes first, and each class may use only
 * its share of the window: clients cannot take the room that peers need, nor peers that of actors.
 */
export const ITEM_CLASSES = ['control', 'local', 'peerControl', 'peerData', 'client'] as const;
export type ItemClass = (typeof ITEM_CLASSES)[number];

export const SHARES: Readonly<Record<ItemClass, number>> = {
  control: Infinity,
  local: 1,
  peerControl: 0.75,
  peerData: 0.5,
  client: 0.4,
};

/**
 * The part of a class's share that one of `n` validators may fill. Less than a third of them may be
 * faulty: together they fill less than a quarter of the window, which leaves clients room too (I24).
 */
export function peerShare(n: number): number {
  return 1 / n;
}

export function classOf(item: Item): ItemClass {
  switch (item.kind) {
    case 'local':
      return policyOf(item.message.kind).class === 'client' ? 'client' : 'local';
    case 'peerIn':
      return item.body === undefined ? 'peerControl' : 'peerData';
    case 'peerOut':
      return item.peerClass === 'control' ? 'peerControl' : 'peerData';
    case 'fault':
      return 'peerControl';
    case 'command':
      // After all that was said before it: a clean stop finishes that first.
      return item.command === 'stop' ? 'local' : 'control';
    case 'report':
      return item.report.kind === 'stopped' ? 'local' : 'control';
    default:
      return 'control';
  }
}

/** What a sender does with an item when the receiver does not keep up. */
export type WhenBehind =
  /** Waits in the sender's queue: bounded, because the sender then takes nothing from outside. */
  | 'wait'
  /** The newer one replaces the one that waits: cumulative reports. */
  | 'coalesce'
  /** Waits; once too much waits, not sent and counted: the protocol says it again (T3, D4). */
  | 'resendLater';

/** Of every message kind (policies.ts); what clients send is refused before it gets here. */
export function whenBehind(item: Item): WhenBehind {
  if (item.kind === 'peerOut' || item.kind === 'fault') return 'resendLater';
  if (item.kind === 'report') {
    return item.report.kind === 'status' || item.report.kind === 'load' ? 'coalesce' : 'wait';
  }
  if (item.kind !== 'local') return 'wait';
  return policyOf(item.message.kind).whenFull === 'coalesce' ? 'coalesce' : 'wait';
}

/** Two items of one kind for one receiver, of which the newer one says everything. */
export function supersedes(newer: Item, older: Item): boolean {
  if (newer.kind === 'report' && older.kind === 'report') {
    return newer.report.kind === older.report.kind;
  }
  if (newer.kind !== 'local' || older.kind !== 'local') return false;
  return newer.to === older.to && newer.message.kind === older.message.kind;
}

const ITEM_BYTES = 256;

/** Roughly what an item weighs. */
export function bytesOf(item: Item): number {
  if (item.kind === 'peerIn' || item.kind === 'peerOut') {
    return ITEM_BYTES + item.envelope.length + (item.body?.length ?? 0);
  }
  return item.kind === 'local' ? ITEM_BYTES + messageBytes(item.message) : ITEM_BYTES;
}

function messageBytes(message: LocalMessage): number {
  switch (message.kind) {
    case 'sealBatch':
      return message.payload.length;
    case 'execute':
      return sum(message.batches, ({ payload }) => payload.length);
    case 'submit':
      return sum(message.submissions, ({ bytes }) => bytes.length + 32);
    case 'submitted':
      return sum(
        message.results,
        (result) => (result.ok ? (result.receipts?.encoded.length ?? 0) : 0) + 128,
      );
    default:
      return 0;
  }
}

function sum<T>(items: readonly T[], bytes: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += bytes(item);
  return total;
}
