/**
 * Which actors share a worker thread. Consensus and voting speak most with each other, execution
 * speaks least with anybody: that is the order in which they part as threads are added.
 */
import type { ProtocolActor } from '../protocols/messages.ts';

export const ACTORS: readonly ProtocolActor[] = [
  'consensus',
  'voting',
  'replication',
  'transaction',
];
export const THREADS_MAX = 4;

const PLACEMENTS: Readonly<Record<number, readonly (readonly ProtocolActor[])[]>> = {
  1: [['consensus', 'voting', 'replication', 'transaction']],
  2: [['consensus', 'voting', 'replication'], ['transaction']],
  3: [['consensus', 'voting'], ['replication'], ['transaction']],
  4: [['consensus'], ['voting'], ['replication'], ['transaction']],
};

/** The actors of each worker thread. Throws RangeError unless 1 ≤ threads ≤ 4. */
export function placementOf(threads: number): readonly (readonly ProtocolActor[])[] {
  const placement = PLACEMENTS[threads];
  if (placement === undefined) throw new RangeError(`threads: 1 to ${THREADS_MAX}, not ${threads}`);
  return placement;
}

/** One core is left to the edge and one to the database; on two cores one thread must do. */
export function autoThreads(cores: number): number {
  return Math.max(1, Math.min(THREADS_MAX, cores - 2));
}
