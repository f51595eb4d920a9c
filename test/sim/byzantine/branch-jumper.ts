/**
 * A leader that moves its own lane's tip from one branch to another between two blocks (B1): it keeps
 * a second batch for each seq and a child of that one, serves both to whoever asks, and withholds its
 * commit votes, so that the first branch is not final yet when the next block names the other.
 */
import type { BatchHeader, Digest } from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal } from './leaders.ts';

interface Branch {
  readonly second: Packet;
  readonly child: Packet;
  readonly childDigest: Digest;
}

export function branchJumper(adversary: Adversary): Behaviour {
  const { setup, self } = adversary;
  const branches = new Map<number, Branch>();
  const served = new Map<Digest, Packet>();
  const make = (draft: Omit<BatchHeader, 'signature'>, body: Uint8Array): [Packet, Digest] => {
    const header = adversary.signHeader(draft);
    const packet: Packet = { message: { kind: 'batch', header }, body };
    const digest = setup.engine.structures.batchDigest(setup.crypto, setup.cluster.id, header);
    served.set(digest, packet);
    return [packet, digest];
  };
  const branchFrom = (header: BatchHeader, body: Uint8Array): Branch => {
    const other = body.slice();
    other[other.length - 1] = (other[other.length - 1] as number) ^ 1;
    const payloadDigest = setup.crypto.hash(other);
    const [second, parentDigest] = make({ ...header, payloadDigest }, other);
    const [child, childDigest] = make({ ...header, seq: header.seq + 1, parentDigest }, body);
    return { second, child, childDigest };
  };
  return {
    outgoing(_to, packet) {
      const { message, body } = packet;
      if (message.kind === 'vote' && message.vote.kind === 'commit') return [];
      if (message.kind === 'batch' && message.header.lane === self && body !== undefined) {
        const { seq } = message.header;
        if (!branches.has(seq)) branches.set(seq, branchFrom(message.header, body));
      }
      const block = isOwnProposal(adversary, packet);
      const seq = block && setup.knowledge.blocks.get(block.parent)?.cut[self]?.seq;
      const branch = branches.get(seq ?? -1);
      if (block === null || branch === undefined) return [packet];
      const tip = { seq: (seq ?? -1) + 1, digest: branch.childDigest };
      const cut = block.cut.map((each, lane) => (lane === self ? tip : each));
      return [proposal(adversary.signBlock({ ...block, cut })), branch.child, branch.second];
    },
    incoming(from, packet) {
      if (packet.message.kind !== 'fetchBatch') return;
      const wanted = served.get(packet.message.digest);
      if (wanted !== undefined) adversary.say(wanted.message, wanted.body, from);
    },
  };
}
