/**
 * What each kind of input is, and what happens to it when its receiver does not keep up. One table,
 * so that nothing is dropped that this file does not name.
 *
 * I19. Every input is taken, held back at its source, replaced by a newer report of its kind, or
 *      refused to a client with a time to retry: none is lost between the actors of a node.
 */
import type { CommonInput, LocalMessage } from '../protocols/messages.ts';

/** Control goes before what actors tell each other, that before peers, and peers before clients. */
export type InputClass = 'control' | 'local' | 'peer' | 'client' | 'timer';

export type WhenFull =
  /** Always taken: at most one for each timer, peer, question to the log, snapshot, or stop of the node. */
  | 'take'
  /** Waits at its sender, which takes nothing from peers and clients until it is gone. */
  | 'hold'
  /** As `hold`, and a newer one of its kind takes the place of one that still waits: cumulative. */
  | 'coalesce'
  /** The peer's stream is not read until there is room. */
  | 'pause'
  /** The client hears `overloaded` and when to try again. */
  | 'refuse';

export interface Policy {
  readonly class: InputClass;
  readonly whenFull: WhenFull;
}

const CONTROL: Policy = { class: 'control', whenFull: 'take' };
const HOLD: Policy = { class: 'local', whenFull: 'hold' };
const REPORT: Policy = { class: 'local', whenFull: 'coalesce' };
const CLIENT: Policy = { class: 'client', whenFull: 'refuse' };

export type InputKind = CommonInput['kind'] | LocalMessage['kind'];

export const POLICIES: Readonly<Record<InputKind, Policy>> = {
  started: CONTROL,
  timer: { class: 'timer', whenFull: 'take' },
  logRead: CONTROL,
  logFound: CONTROL,
  snapshotKept: CONTROL,
  peerConnected: CONTROL,
  peerDisconnected: CONTROL,
  drain: CONTROL,
  peerMessage: { class: 'peer', whenFull: 'pause' },

  prepareCertified: HOLD,
  commitCertified: HOLD,
  timeoutCertified: HOLD,
  timeoutsJoined: HOLD,
  handOverSeen: HOLD,
  tipsReported: REPORT,
  cutHeld: HOLD,
  checkpointExecuted: HOLD,
  executeFrom: HOLD,
  executedTo: REPORT,

  ownVote: HOLD,
  ownTimeout: HOLD,
  termEntered: HOLD,
  finalTo: REPORT,

  sealBatch: HOLD,
  holdCut: HOLD,
  finalised: HOLD,
  showTips: HOLD,

  laneRoom: REPORT,
  execute: HOLD,
  submit: CLIENT,
  query: CLIENT,
  confirm: CLIENT,
  findSubmission: CLIENT,
  prove: CLIENT,

  submitted: HOLD,
  answer: HOLD,
  blockExecuted: HOLD,
  programs: HOLD,
};

export function policyOf(kind: string): Policy {
  return POLICIES[kind as InputKind];
}
