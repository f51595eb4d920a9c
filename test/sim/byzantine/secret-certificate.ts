/**
 * A leader that has a second version of its own lane's tip certified (D3) and lets one honest node
 * alone know of the certificate: it shows the block to as few as make a quorum with it, and its vote
 * to one of them. Then it says no more on agreement. The block cannot become final in its term, so
 * the next leader has to extend it, while the lane goes on from the first version everywhere.
 */
import type { Block } from '../../../protocols/types.ts';
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal } from './leaders.ts';
import { SecondVersions } from './second-versions.ts';

const SEALED_MAX = 20;
const SEAL_CHANCE = 0.05;

export function secretCertificate(adversary: Adversary): Behaviour {
  const { setup, self, random } = adversary;
  const { quorum } = setup.cluster;
  const confidants = random.shuffle(adversary.others).slice(0, quorum - 1);
  const seconds = new SecondVersions(adversary);
  let secret: Block | null = null;
  let sealed = 0;
  const spring = (block: Block): Block | null => {
    const before = setup.knowledge.blocks.get(block.parent)?.cut[self]?.seq ?? -1;
    const second = seconds.at(block.cut[self]!.seq);
    if (second === undefined || second.tip.seq <= before) return null;
    const cut = block.cut.map((each, lane) => (lane === self ? second.tip : each));
    const signed = adversary.signBlock({ ...block, cut });
    for (const to of confidants) adversary.say(proposal(signed).message, undefined, to);
    adversary.say({ kind: 'vote', vote: adversary.voteFor(signed) }, undefined, confidants[0]);
    return signed;
  };
  return {
    outgoing(_to, packet) {
      if (seconds.note(packet)) return [packet];
      const block = isOwnProposal(adversary, packet);
      if (block !== null) secret ??= spring(block);
      const isOfData = ['batch', 'marks', 'fetchBatch', 'fetchBatches'].includes(
        packet.message.kind,
      );
      return secret === null || isOfData ? [packet] : [];
    },
    incoming(from, packet) {
      seconds.serve(from, packet);
    },
    /** What it seals goes on from the first version. */
    tick() {
      if (secret === null || sealed >= SEALED_MAX || !random.chance(SEAL_CHANCE)) return;
      sealed++;
      setup.toOwn('replication', { kind: 'sealBatch', payload: random.bytes(20), txCount: 1 });
    },
  };
}
