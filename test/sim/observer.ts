/** What can be seen of an honest node from outside: the checkers' only source of knowledge. */
import type { LogEvent } from '../../protocols/machine.ts';
import type { ActorName, LocalMessage, PeerMessage, ProtocolActor } from '../../protocols/messages.ts';
import type { SimNode } from './node.ts';

export interface Observer {
  /** These events can no longer be lost. */
  synced?(node: SimNode, events: readonly LogEvent[]): void;
  /** The message leaves the node; `to` is null for all. */
  sent?(node: SimNode, to: number | null, message: PeerMessage, body: Uint8Array | undefined): void;
  /** The message arrived. */
  heard?(node: SimNode, from: number, message: PeerMessage): void;
  told?(node: SimNode, from: ProtocolActor, to: ActorName, message: LocalMessage): void;
  started?(node: SimNode): void;
  crashed?(node: SimNode): void;
  /** An actor gave up; `expected` when the simulator made its log fail. */
  failed?(node: SimNode, actor: ProtocolActor, error: Error, expected: boolean): void;
  faulted?(node: SimNode, peer: number, code: string, detail: string): void;
}

/** The first rule that was seen broken; a run stops there. */
export interface Violation {
  readonly checker: string;
  readonly detail: string;
  readonly atMs: number;
}

export type Report = (checker: string, detail: string) => void;
