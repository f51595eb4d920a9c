/**
 * An owner that one honest node gets its lane from back to front: it leaves a gap, sends what comes
 * after it, names a second version of its tip in a block of its own (D3), and hands the victim that
 * version while the gap is still open. So the victim searches downwards for a batch that it will
 * store by itself as soon as another node closes the gap.
 */
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal } from './leaders.ts';
import { SecondVersions, type SecondVersion } from './second-versions.ts';

/** Every so many batches one is kept from the victim. */
const GAP_EVERY = 4;
/** It seals batches of its own, so that there is always a gap with something beyond it. */
const SEALED_MAX = 60;
const SEAL_CHANCE = 0.1;
/** Ticks for which a second version is pressed on the victim, asked for or not. */
const PRESSED_TICKS = 200;

export function backwardsOwner(adversary: Adversary): Behaviour {
  const { setup, self, random } = adversary;
  const victim = random.pick(adversary.others);
  const seconds = new SecondVersions(adversary);
  let pressed: SecondVersion | null = null;
  let ticks = 0;
  let sealed = 0;
  return {
    outgoing(to, packet) {
      const { message } = packet;
      if (message.kind === 'batch' && seconds.note(packet)) {
        return to === victim && message.header.seq % GAP_EVERY === 0 ? [] : [packet];
      }
      const block = isOwnProposal(adversary, packet);
      const tip = block?.cut[self];
      const second = seconds.at(tip?.seq ?? -1);
      if (block === null || tip === undefined || second === undefined) return [packet];
      const before = setup.knowledge.blocks.get(block.parent)?.cut[self]?.seq ?? -1;
      if (tip.seq <= before || tip.seq % GAP_EVERY < 2) return [packet];
      pressed = second;
      ticks = 0;
      const cut = block.cut.map((each, lane) => (lane === self ? second.tip : each));
      const signed = adversary.signBlock({ ...block, cut });
      adversary.say({ kind: 'vote', vote: adversary.voteFor(signed) });
      return [proposal(signed)];
    },
    incoming(from, packet) {
      seconds.serve(from, packet);
    },
    tick() {
      if (sealed < SEALED_MAX && random.chance(SEAL_CHANCE)) {
        sealed++;
        setup.toOwn('replication', { kind: 'sealBatch', payload: random.bytes(20), txCount: 1 });
      }
      if (pressed === null || ticks++ >= PRESSED_TICKS) return;
      adversary.say(pressed.packet.message, pressed.packet.body, victim);
    },
  };
}
