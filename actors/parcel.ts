/**
 * What crosses from one thread of a node to another, and on which flow. A flow is what credit is
 * given for: one slow receiver must hold back its own senders and nobody else.
 */
import {
  ROUTES,
  type ActorName,
  type CommonInput,
  type LocalMessage,
  type PeerClass,
  type PeerMessageKind,
  type ProtocolActor,
} from '../protocols/messages.ts';
import type { ValidatorIndex } from '../protocols/types.ts';
import { COALESCED_TO_PEERS } from './policies.ts';
import { policyOf } from './mailbox.ts';
import type { Command, Report } from './reports.ts';

/** `to` of a message for every other validator. */
export const EVERYONE = -1;

export type Parcel =
  | { readonly kind: 'tell'; readonly to: ActorName; readonly message: LocalMessage }
  | { readonly kind: 'input'; readonly to: ProtocolActor; readonly input: CommonInput }
  /** An envelope as it came from a peer; decoded in the receiving actor's thread. */
  | {
      readonly kind: 'peerIn';
      readonly from: ValidatorIndex;
      readonly to: ProtocolActor;
      readonly envelope: Uint8Array;
      readonly body?: Uint8Array;
      /** The body is alone in its ArrayBuffer and given away: it moves without a copy. */
      readonly owned?: boolean;
    }
  /** An envelope as it leaves for a peer, or for EVERYONE; packed in the sending actor's thread. */
  | {
      readonly kind: 'peerOut';
      readonly to: ValidatorIndex;
      readonly message: PeerMessageKind;
      readonly envelope: Uint8Array;
      readonly body?: Uint8Array;
    }
  | {
      readonly kind: 'peerFault';
      readonly peer: ValidatorIndex;
      readonly code: string;
      readonly detail: string;
    }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'command'; readonly command: Command };

/** Lower goes first. Control has no credit: what it carries is bounded by what it is (policies.ts). */
export type Flow = number;
export const CONTROL_FLOW: Flow = 0;
const LOCAL_FLOW: Flow = 1;
const OUT_CONTROL_FLOW: Flow = 2;
const OUT_DATA_FLOW: Flow = 3;
const FIRST_PEER_FLOW: Flow = 4;
export const CLIENT_FLOW: Flow = 1_000_000;

/** Frames of one peer and class keep to one flow, so that a flooding peer stops only itself. */
export function peerFlow(peer: ValidatorIndex, peerClass: PeerClass): Flow {
  return FIRST_PEER_FLOW + 2 * peer + (peerClass === 'control' ? 0 : 1);
}

export function peerOfFlow(flow: Flow): { peer: ValidatorIndex; peerClass: PeerClass } | null {
  if (flow < FIRST_PEER_FLOW || flow === CLIENT_FLOW) return null;
  const at = flow - FIRST_PEER_FLOW;
  return { peer: at >> 1, peerClass: at % 2 === 0 ? 'control' : 'data' };
}

export interface Window {
  readonly messages: number;
  readonly bytes: number;
}

const MIB = 1024 * 1024;

export function windowOf(flow: Flow): Window {
  if (flow === CONTROL_FLOW) return { messages: Infinity, bytes: Infinity };
  if (flow === CLIENT_FLOW) return { messages: 512, bytes: 8 * MIB };
  if (flow === LOCAL_FLOW) return { messages: 2048, bytes: 16 * MIB };
  if (flow === OUT_CONTROL_FLOW || flow === OUT_DATA_FLOW) return { messages: 1024, bytes: 8 * MIB };
  return peerOfFlow(flow)?.peerClass === 'control'
    ? { messages: 512, bytes: 2 * MIB }
    : { messages: 128, bytes: 4 * MIB };
}

export function flowOf(parcel: Parcel): Flow {
  switch (parcel.kind) {
    case 'tell':
      return policyOf(parcel.message.kind).class === 'client' ? CLIENT_FLOW : LOCAL_FLOW;
    case 'peerOut':
      return ROUTES[parcel.message].class === 'control' ? OUT_CONTROL_FLOW : OUT_DATA_FLOW;
    case 'peerFault':
      return OUT_CONTROL_FLOW;
    default:
      return CONTROL_FLOW;
  }
}

/** What a cumulative report replaces while it waits; null for everything else. */
export function coalescingKey(parcel: Parcel): string | null {
  if (parcel.kind === 'tell' && policyOf(parcel.message.kind).whenFull === 'coalesce') {
    return `${parcel.to}/${parcel.message.kind}`;
  }
  if (parcel.kind === 'peerOut' && COALESCED_TO_PEERS.has(parcel.message)) {
    return `${parcel.to}/${parcel.message}`;
  }
  return null;
}
