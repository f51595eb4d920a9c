/**
 * Forks the chain where f + 1 do it together, and leaves as little trace as that takes: whoever leads
 * shows one half of the validators one block and the other half another; each votes for both, for
 * each to its half alone, and says nothing else on agreement. Up to f of them only waste a term.
 */
import type { Block } from '../../../protocols/types.ts';
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal } from './leaders.ts';

const OF_DATA: readonly string[] = ['batch', 'marks', 'fetchBatch', 'fetchBatches'];

export function forker(adversary: Adversary): Behaviour {
  const { setup, self } = adversary;
  const { blocks } = setup.knowledge;
  let isDone = false;
  const half = (at: number): number[] => adversary.others.filter((peer) => peer % 2 === at);
  const fork = (block: Block): void => {
    const second = adversary.signBlock({ ...block, timestamp: block.timestamp + 1 });
    setup.knowledge.learn(self, proposal(second).message, undefined);
    [block, second].forEach((each, at) => {
      for (const to of half(at)) adversary.say(proposal(each).message, undefined, to);
    });
  };
  const voteFor = (block: Block, to: number): void => {
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
      if (block !== null && twins().length === 0) fork(block);
      return OF_DATA.includes(packet.message.kind) ? [packet] : [];
    },
    tick() {
      if (isDone) return;
      twins().forEach((block, at) => {
        isDone = true;
        for (const to of half(at)) voteFor(block, to);
      });
    },
  };
}
