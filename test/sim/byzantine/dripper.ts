/** A peer that keeps those who catch up busy with itself. */
import type { Adversary, Behaviour } from './adversary.ts';

const DRIP_MS = 150;

/**
 * Answers whoever asked it for blocks with the same two again and again, more often than the others
 * get a turn. Nothing in it is a lie: the certificate is genuine, and stands far above.
 */
export function dripper(adversary: Adversary): Behaviour {
  const { knowledge, nowMs } = adversary.setup;
  /** By peer: from which height on it is behind. */
  const behind = new Map<number, number>();
  let drippedAt = 0;
  const drip = (to: number, fromHeight: number): void => {
    const certificate = knowledge.committed.findLast(({ height }) => height > fromHeight + 1);
    if (certificate === undefined) return;
    const second = [...knowledge.blocks.values()].find(
      ({ height, parent }) =>
        height === fromHeight + 1 && knowledge.blocks.get(parent)?.height === fromHeight,
    );
    const first = second && knowledge.blocks.get(second.parent);
    if (first === undefined || second === undefined) return;
    adversary.say({ kind: 'blocks', blocks: [first, second], certificate }, undefined, to);
  };
  return {
    outgoing: (_to, packet) => (packet.message.kind === 'blocks' ? [] : [packet]),
    incoming(from, { message }) {
      if (message.kind !== 'fetchBlocks') return;
      // It asks on from the second of the two: to be told the same once more.
      if (message.fromHeight - 1 !== behind.get(from)) behind.set(from, message.fromHeight);
    },
    tick() {
      if (nowMs() - drippedAt < DRIP_MS) return;
      drippedAt = nowMs();
      for (const [peer, height] of behind) drip(peer, height);
    },
  };
}
