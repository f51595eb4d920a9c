/** Leaders that break rules B1–B4, or keep them just well enough to do harm. */
import { leaderOf } from '../../../protocols/certificates.ts';
import {
  EMPTY_TIP,
  type Block,
  type Certificate,
  type Timeout,
  type TimeoutCertificate,
} from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary, Behaviour } from './adversary.ts';

type Draft = Omit<Block, 'signature'>;

const proposal = (block: Block): Packet => ({ message: { kind: 'proposal', block }, body: undefined });

function isOwnProposal(adversary: Adversary, packet: Packet): Block | null {
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
        adversary.setup.knowledge.learn(adversary.self, { kind: 'proposal', block: twin }, undefined);
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
        const empty = { epoch, term, highTerm: -1, highHeight: -1, highBlock: message.timeout.highBlock };
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

/** Each own proposal is followed, or replaced, by one that breaks a condition of rule B4. */
export function lawlessLeader(adversary: Adversary): Behaviour {
  const { random } = adversary;
  return {
    outgoing(_to, packet) {
      const block = isOwnProposal(adversary, packet);
      if (block === null || random.chance(0.3)) return [packet];
      const broken = proposal(adversary.signBlock(breakOne(adversary, block)));
      return random.pick([[broken], [broken, packet], [packet, broken]]);
    },
    incoming(_from, packet) {
      // In a term that is not its own it proposes all the same.
      if (packet.message.kind !== 'proposal' || !random.chance(0.05)) return;
      const { block } = packet.message;
      adversary.say({ kind: 'proposal', block: adversary.signBlock({ ...block, timestamp: block.timestamp + 1 }) });
    },
  };
}

function breakOne(adversary: Adversary, block: Block): Draft {
  const { random } = adversary;
  const { knowledge } = adversary.setup;
  const parent = knowledge.blocks.get(block.parent);
  const someBlock = random.pick([...knowledge.blocks.entries(), [block.parent, block] as const]);
  const lane = random.int(block.cut.length);
  const withTip = (tip: Block['cut'][number]): Draft => ({
    ...block,
    cut: block.cut.map((each, at) => (at === lane ? tip : each)),
  });
  const tip = block.cut[lane] ?? { seq: -1, digest: block.parent };
  const breaks: readonly (() => Draft)[] = [
    // Time: not after the parent's, far ahead, far behind.
    () => ({ ...block, timestamp: parent?.timestamp ?? block.timestamp - 60_000 }),
    () => ({ ...block, timestamp: block.timestamp + 600_000 }),
    () => ({ ...block, timestamp: Math.max(0, block.timestamp - 600_000) }),
    // Cut: a batch that nobody has, a step back, another batch at the same place, a lane too few.
    () => withTip({ seq: tip.seq + 1, digest: adversary.randomDigest() }),
    () => withTip(parent?.cut[lane] ?? tip),
    () => withTip({ seq: tip.seq - 1, digest: headerDigest(adversary, lane, tip.seq - 1) ?? tip.digest }),
    () => withTip({ seq: tip.seq, digest: adversary.randomDigest() }),
    () => withTip({ seq: -1, digest: adversary.randomDigest() }),
    () => ({ ...block, cut: block.cut.slice(1) }),
    // Executed: a state that is not the state, a height not executed yet, a step back.
    () => ({ ...block, executed: { ...block.executed, stateRoot: adversary.randomDigest() } }),
    () => ({ ...block, executed: { ...block.executed, receiptsRoot: adversary.randomDigest() } }),
    () => ({ ...block, executed: { ...block.executed, height: block.height } }),
    () => ({ ...block, executed: { ...(knowledge.blocks.values().next().value ?? block).executed } }),
    // Place: no parent that was prepared in this term, a gap, a parent that is none.
    () => ({ ...block, parent: someBlock[0] as Block['parent'] }),
    () => ({ ...block, parent: someBlock[0] as Block['parent'], height: someBlock[1].height + 1 }),
    () => ({ ...block, height: block.height + 1 }),
    () => ({ ...block, parent: adversary.randomDigest() }),
    // Justify: none, an older certificate, one of another term, a timeout certificate in mid-term.
    () => ({ ...block, justify: { kind: 'epoch' } }),
    () => otherParent(adversary, block),
    () => otherParent(adversary, block),
    () => staleFirst(adversary, block),
    () => ({ ...block, endsEpoch: adversary.randomDigest() }),
    () => ({ ...block, epoch: block.epoch + 1 }),
  ];
  return random.pick(breaks)();
}

function headerDigest(adversary: Adversary, lane: number, seq: number): Block['parent'] | null {
  const { knowledge, engine, crypto, cluster } = adversary.setup;
  const header = knowledge.headers.get(lane)?.find((each) => each.seq === seq);
  return header ? engine.structures.batchDigest(crypto, cluster.id, header) : null;
}

/** Extends some certified block, whatever its term. */
function otherParent(adversary: Adversary, block: Block): Draft {
  const { knowledge } = adversary.setup;
  const choices = [...knowledge.prepared.values()];
  if (choices.length === 0) return { ...block, justify: { kind: 'epoch' } };
  const certificate = adversary.random.pick(choices);
  const parent = knowledge.blocks.get(certificate.block) ?? block;
  return {
    ...block,
    height: certificate.height + 1,
    parent: certificate.block,
    justify: { kind: 'certificate', certificate },
    cut: parent.cut,
    executed: parent.executed,
  };
}

/** A "first" block on some timeout certificate that does not open this term, or not on its highest. */
function staleFirst(adversary: Adversary, block: Block): Draft {
  const { knowledge } = adversary.setup;
  if (knowledge.timeoutCertificates.length === 0) return otherParent(adversary, block);
  const certificate = adversary.random.pick(knowledge.timeoutCertificates);
  const parents = [...knowledge.prepared.values()];
  const under = adversary.random.chance(0.5) ? certificate.highest : null;
  const chosen = under ?? (parents.length > 0 ? adversary.random.pick(parents) : null);
  if (chosen === null) return { ...block, justify: { kind: 'timeouts', certificate } };
  const parent = knowledge.blocks.get(chosen.block) ?? block;
  return {
    ...block,
    height: chosen.height + 1,
    parent: chosen.block,
    justify: { kind: 'timeouts', certificate },
    cut: parent.cut,
    executed: parent.executed,
  };
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
