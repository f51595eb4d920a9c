/**
 * Which actor runs on which thread. Thread 0 is the main thread: supervisor, edges, peer network.
 *
 * | threads | mapping                                                    |
 * | ------- | ---------------------------------------------------------- |
 * | 1       | all four together                                          |
 * | 2       | consensus, voting, replication · transaction               |
 * | 3       | consensus, voting · replication · transaction              |
 * | 4       | one each                                                   |
 *
 * `auto` leaves one core to the main thread: 1 up to two cores, then one less than the cores, 4 at
 * most. Execution gets its own thread first, because it is the longest uninterrupted work; agreement
 * and votes part last, because they say most to each other.
 */
import type { ProtocolActor } from '../protocols/messages.ts';

export const THREADS_MAX = 4;

export type Placement = readonly (readonly ProtocolActor[])[];

const PLACEMENTS: readonly Placement[] = [
  [['consensus', 'voting', 'replication', 'transaction']],
  [['consensus', 'voting', 'replication'], ['transaction']],
  [['consensus', 'voting'], ['replication'], ['transaction']],
  [['consensus'], ['voting'], ['replication'], ['transaction']],
];

/** `placement[i]`: the actors of worker thread i + 1. Throws RangeError outside 1 … 4. */
export function placementFor(threads: number | 'auto', cores: number): Placement {
  const count = threads === 'auto' ? Math.min(THREADS_MAX, Math.max(1, cores - 1)) : threads;
  const placement = PLACEMENTS[count - 1];
  if (placement !== undefined) return placement;
  throw new RangeError(`threads must be auto or 1 to ${THREADS_MAX}, not ${count}`);
}
