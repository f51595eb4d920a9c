/** Leaders that break rules B1–B4, or keep them just well enough to do harm. */
import { leaderOf } from '../../../protocols/certificates.ts';
import {
  EMPTY_TIP,
  type Block,
  type Certificate,
  type Timeout,
  type TimeoutCertificate,
  type Vote,
} from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary, Behaviour } from './adversary.ts';

export type Draft = Omit<Block, 'signature'>;

export const proposal = (block: Block): Packet => ({
  message: { kind: 'proposal', block },
  body: undefined,
});

export function isOwnProposal(adversary: Adversary, packet: Packet): Block | null {
  if (packet.message.kind !== 'proposal') return null;
  const { block } = packet.message;
  return leaderOf(adversary.setup.cluster, block.term) === adversary.self ? block : null;
}

/** Two proposals for a height — first blocks too — to different halves, or both to all. */
export function equivocatingLeader(adversary: Adversary): Behaviour {
  const twins = new Map<string, Block>();
  const { random } = adversary;
  return {
    outgoing(to, packet) {
      const block = isOwnProposal(adversary, packet);
      if (block === null) return [packet];
      const digest = adversary.digestOf(block);
      let twin = twins.get(digest);
      if (twin === undefined) {
        twin = adversary.signBlock({ ...block, timestamp: block.timestamp + random.between(1, 3) });
        twins.set(digest, twin);
        adversary.setup.knowledge.learn(
          adversary.self,
          { kind: 'proposal', block: twin },
          undefined,
        );
      }
      const other = proposal(twin);
      if (random.chance(0.3)) return [packet, other];
      if (random.chance(0.2)) return [other, packet];
      return to % 2 === block.height % 2 ? [packet] : [other];
    },
  };
}

/**
 * Two first blocks in one term: from the timeouts of the term before it makes as many timeout
 * certificates with different highest certificates as there are, and extends each.
 */
export function twoFirstBlocks(adversary: Adversary): Behaviour {
  const claims = new Map<number, Timeout>();
  return {
    outgoing(_to, packet) {
      const { message } = packet;
      if (message.kind === 'timeout' && message.timeout.voter === adversary.self) {
        const { epoch, term } = message.timeout;
        const empty = {
          epoch,
          term,
          highTerm: -1,
          highHeight: -1,
          highBlock: message.timeout.highBlock,
        };
        claims.set(term, adversary.signTimeout(empty));
      }
      const block = isOwnProposal(adversary, packet);
      if (block?.justify.kind !== 'timeouts') return [packet];
      const rivals = rivalsOf(adversary, block, claims.get(block.term - 1));
      const packets = [packet, ...rivals.map(proposal)];
      return adversary.random.shuffle(packets);
    },
  };
}

function rivalsOf(adversary: Adversary, block: Block, ownEmpty: Timeout | undefined): Block[] {
  const { knowledge } = adversary.setup;
  const held = [...(knowledge.timeouts.get(block.term - 1)?.values() ?? [])];
  if (ownEmpty) held.push({ timeout: ownEmpty, highest: null });
  const rivals = new Map<string, Block>();
  for (const top of held) {
    const certificate = certificateUnder(adversary, held, top);
    const parent = top.highest === null ? null : knowledge.blocks.get(top.highest.block);
    if (certificate === null || !parent || top.highest === null) continue;
    if (top.highest.block === block.parent) continue;
    const draft: Draft = {
      ...block,
      height: top.highest.height + 1,
      parent: top.highest.block,
      justify: { kind: 'timeouts', certificate },
      cut: parent.cut,
      executed: parent.executed,
      timestamp: Math.max(parent.timestamp + 1, block.timestamp),
    };
    rivals.set(top.highest.block, adversary.signBlock(draft));
  }
  return [...rivals.values()];
}

/** A valid timeout certificate in which nobody claims more than `top` does. */
function certificateUnder(
  adversary: Adversary,
  held: readonly { readonly timeout: Timeout; readonly highest: Certificate | null }[],
  top: { readonly timeout: Timeout; readonly highest: Certificate | null },
): TimeoutCertificate | null {
  const { highTerm, highHeight, epoch, term } = top.timeout;
  const below = held.filter(
    ({ timeout }) =>
      timeout.highTerm < highTerm ||
      (timeout.highTerm === highTerm && timeout.highHeight <= highHeight),
  );
  const voters = new Map(below.map(({ timeout }) => [timeout.voter, timeout]));
  voters.set(top.timeout.voter, top.timeout);
  if (voters.size < adversary.setup.cluster.quorum) return null;
  const timeouts = [...voters.values()].map((each) => ({
    voter: each.voter,
    highTerm: each.highTerm,
    highHeight: each.highHeight,
    highBlock: each.highBlock,
    signature: each.signature,
  }));
  return { epoch, term, timeouts, highest: top.highest };
}

/** Holds each proposal back for a part of the time that others are patient. */
export function slowLeader(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const laziness = random.pick([50, 150, 250, 350]);
  return {
    outgoing(to, packet) {
      if (isOwnProposal(adversary, packet) === null) return [packet];
      setup.send(to, packet, laziness + random.int(10));
      return [];
    },
  };
}

/** Never lets some lanes into a cut of its own: its node is not told of their tips. */
export function censor(adversary: Adversary): Behaviour {
  const { random } = adversary;
  const victims = new Set(random.shuffle(adversary.others).slice(0, random.between(1, 2)));
  return {
    local(message) {
      if (message.kind !== 'tipsReported') return message;
      const tips = message.tips.map((tip, lane) => (victims.has(lane) ? EMPTY_TIP : tip));
      return { ...message, tips };
    },
  };
}

/** Never names a newer executed state than the one before (B2, T1). */
export function stateDenier(): Behaviour {
  return {
    local: (message) =>
      message.kind === 'tipsReported' ? { ...message, executed: null } : message,
  };
}

/** Orders whatever is handed to it, but is never idle-honest: no empty block leaves it (B3). */
export function mute(adversary: Adversary): Behaviour {
  return {
    outgoing: (_to, packet) => (isOwnProposal(adversary, packet) === null ? [packet] : []),
  };
}

/**
 * Keeps empty blocks to itself until there is something to order: then nobody is told that it lives,
 * and nothing executed gets certified, while nobody asks for anything (B3, T1).
 */
export function lazyLeader(adversary: Adversary): Behaviour {
  const { knowledge } = adversary.setup;
  let held: { readonly to: number; readonly packet: Packet }[] = [];
  return {
    outgoing(to, packet) {
      const block = isOwnProposal(adversary, packet);
      if (block === null || block.justify.kind !== 'certificate') return [packet];
      const parent = knowledge.blocks.get(block.parent);
      const isEmpty =
        parent !== undefined && block.cut.every((tip, lane) => tip.seq === parent.cut[lane]?.seq);
      if (!isEmpty) return [packet];
      held.push({ to, packet });
      return [];
    },
    incoming(_from, packet) {
      if (packet.message.kind !== 'batch') return;
      for (const { to, packet: late } of held) adversary.setup.send(to, late, 0);
      held = [];
    },
  };
}

/**
 * Keeps its proposals and votes from all but a bare quorum, and never commits: that quorum prepares
 * block after block, as fast as it can, and nothing becomes final. All that the term leaves is a long
 * chain for the next leader to finish.
 */
export function hoarder(adversary: Adversary): Behaviour {
  const { cluster } = adversary.setup;
  const friends = new Set(adversary.random.shuffle(adversary.others).slice(0, cluster.quorum - 1));
  let top: Block | null = null;
  let votes = new Map<number, Vote>();
  const propose = (block: Block): void => {
    top = block;
    const own = adversary.voteFor(block);
    votes = new Map([[adversary.self, own]]);
    for (const friend of friends) {
      adversary.say({ kind: 'proposal', block }, undefined, friend);
      adversary.say({ kind: 'vote', vote: own }, undefined, friend);
    }
  };
  return {
    outgoing(to, packet) {
      const { message } = packet;
      const own = isOwnProposal(adversary, packet);
      if (own !== null) {
        const isNew = own.justify.kind !== 'certificate' && (top === null || own.term > top.term);
        if (isNew) propose(own);
        // Said again to one who connects.
        else if (top !== null && top.height === own.height && friends.has(to)) return [packet];
        return [];
      }
      if (message.kind !== 'vote' || leaderOf(cluster, message.vote.term) !== adversary.self)
        return [packet];
      return message.vote.kind === 'prepare' && friends.has(to) ? [packet] : [];
    },
    incoming(_from, packet) {
      const { message } = packet;
      if (message.kind !== 'vote' || message.vote.kind !== 'prepare' || top === null) return;
      const { vote } = message;
      if (vote.block !== adversary.digestOf(top)) return;
      votes.set(vote.voter, vote);
      if (votes.size === cluster.quorum) propose(nextAbove(adversary, top, [...votes.values()]));
    },
  };
}

/** An empty block on top of one with a quorum's prepare votes. */
function nextAbove(adversary: Adversary, parent: Block, votes: readonly Vote[]): Block {
  const { epoch, term, height, block, first } = votes[0] as Vote;
  const certificate: Certificate = { kind: 'prepare', epoch, term, height, block, first, votes };
  return adversary.signBlock({
    ...parent,
    height: height + 1,
    parent: block,
    justify: { kind: 'certificate', certificate },
    timestamp: parent.timestamp + 1,
  });
}
