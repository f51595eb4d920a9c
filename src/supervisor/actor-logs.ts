/** With which log each actor of a node works. */
import { ACTORS } from '../../actors/placement.ts';
import type { ProtocolActor } from '../../protocols/messages.ts';
import type { ActorLogOptions } from '../log/actor-log.ts';
import type { NodeLog } from '../log/node-log.ts';

export function actorLogs(log: NodeLog): Record<ProtocolActor, ActorLogOptions> {
  const options = ACTORS.map((actor) => [actor, log.actorOptions(actor)] as const);
  return Object.fromEntries(options) as Record<ProtocolActor, ActorLogOptions>;
}
