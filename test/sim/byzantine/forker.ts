/**
 * Forks the chain where f + 1 do it together, and leaves as little trace as that takes: whoever leads
 * shows one half of the validators one block and the other half another; each votes for both, for
 * each to its half alone, and says nothing else on agreement. Up to f of them only waste a term.
 */
import type { Block } from '../../../protocols/types.ts';
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal } from './leaders.ts';

const OF_DATA: readonly string[] = ['batch', 'marks', 'fetchBatch', 'fetchBatches'];

/** More often than it takes all to connect: who is not connected hears nothing. */
const REPEATS = 10;

export function forker(adversary: Adversary): Behaviour {
  const { setup, self } = adversary;
  const { blocks } = setup.knowledge;
  let repeats = 0;
  const half = (at: number): number[] => adversary.others.filter((peer) => peer % 2 === at);
  const twin = (block: Block): void => {
    const second = adversary.signBlock({ ...block, timestamp: block.timestamp + 1 });
    for (const each of [block, second])
      setup.knowledge.learn(self, proposal(each).message, undefined);
  };
  const sayTo = (block: Block, to: number): void => {
    adversary.say(proposal(block).message, undefined, to);
    for (const kind of ['prepare', 'commit'] as const) {
      adversary.say({ kind: 'vote', vote: adversary.voteFor(block, kind) }, undefined, to);
    }
  };
  /** The first two blocks of one place that they know of. */
  const twins = (): readonly Block[] => {
    for (const a of blocks.values()) {
      for (const b of blocks.values()) {
        if (a !== b && a.term === b.term && a.height === b.height) return [a, b];
      }
    }
    return [];
  };
  return {
    outgoing(_to, packet) {
      const block = isOwnProposal(adversary, packet);
      if (block !== null && twins().length === 0) twin(block);
      return OF_DATA.includes(packet.message.kind) ? [packet] : [];
    },
    tick() {
      const both = twins();
      if (both.length === 0 || ++repeats > REPEATS) return;
      both.forEach((block, at) => {
        for (const to of half(at)) sayTo(block, to);
      });
    },
  };
}
