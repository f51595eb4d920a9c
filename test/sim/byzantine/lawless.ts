/** Leaders whose proposals break one condition of rule B4 each: place, cut, or content. */
import { EXECUTED_NOTHING, emptyCut } from '../../../protocols/chain.ts';
import {
  EMPTY_TIP,
  type Block,
  type Certificate,
  type Digest,
  type Tip,
} from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal, type Draft } from './leaders.ts';

type Break = (adversary: Adversary, block: Block) => Draft;

/** Each own proposal comes with one that `breaks` make of it: before it, after it, or alone. */
function lawless(adversary: Adversary, breaks: readonly Break[]): Behaviour {
  const { random, setup } = adversary;
  const made = new Map<string, Packet>();
  // One lie told again and again gets further than many that are tried once.
  const favourite = random.pick(breaks);
  return {
    outgoing(_to, packet) {
      const block = isOwnProposal(adversary, packet);
      if (block === null) return [packet];
      const key = `${block.term}/${block.height}`;
      let broken = made.get(key);
      if (broken === undefined) {
        broken = proposal(
          adversary.signBlock(
            (random.chance(0.7) ? favourite : random.pick(breaks))(adversary, block),
          ),
        );
        made.set(key, broken);
        setup.knowledge.learn(adversary.self, broken.message, undefined);
      }
      return random.pick([[broken], [broken, packet], [broken, packet], [packet, broken]]);
    },
  };
}

const parentOf = (adversary: Adversary, block: Block): Block | undefined =>
  adversary.setup.knowledge.blocks.get(block.parent);

/** The draft moved onto another parent, with what must follow from it. */
function onto(
  adversary: Adversary,
  block: Block,
  digest: Digest,
  parent: Block | undefined,
): Draft {
  return {
    ...block,
    parent: digest,
    height: (parent?.height ?? 0) + 1,
    cut: parent?.cut ?? emptyCut(adversary.setup.cluster.n),
    executed: parent?.executed ?? EXECUTED_NOTHING,
    timestamp: Math.max(block.timestamp, (parent?.timestamp ?? 0) + 1),
  };
}

/** Time: not after the parent's, far ahead, far behind. */
const TIMES: readonly Break[] = [
  (adversary, block) => ({ ...block, timestamp: parentOf(adversary, block)?.timestamp ?? 1 }),
  (_, block) => ({ ...block, timestamp: block.timestamp + 600_000 }),
  (_, block) => ({ ...block, timestamp: Math.max(0, block.timestamp - 600_000) }),
];

/** Executed: a state that is not the state, a height not executed yet, a step back. */
const STATES: readonly Break[] = [
  (adversary, block) => ({
    ...block,
    executed: { ...block.executed, stateRoot: adversary.randomDigest() },
  }),
  (adversary, block) => ({
    ...block,
    executed: { ...block.executed, receiptsRoot: adversary.randomDigest() },
  }),
  (adversary, block) => {
    const { checkpointInterval } = adversary.setup.cluster.genesis.limits;
    const height = block.executed.height + checkpointInterval * adversary.random.between(1, 3);
    return {
      ...block,
      executed: { ...block.executed, height, stateRoot: adversary.randomDigest() },
    };
  },
  (_, block) => ({ ...block, executed: EXECUTED_NOTHING }),
  (adversary, block) => ({ ...block, endsEpoch: adversary.randomDigest() }),
];

export const lawlessContent = (adversary: Adversary): Behaviour =>
  lawless(adversary, [...TIMES, ...STATES]);

/** Cut: a batch that nobody has, steps back, another batch at the same place, lanes too few. */
const CUTS: readonly Break[] = [
  changeTip((adversary, tip) => ({ seq: tip.seq + 1, digest: adversary.randomDigest() })),
  changeTip((adversary, tip) => ({ seq: tip.seq, digest: adversary.randomDigest() })),
  changeTip((_, __, lane, parent) => parent?.cut[lane] ?? EMPTY_TIP),
  changeTip(() => EMPTY_TIP),
  changeTip((adversary, tip, lane) => tipAt(adversary, lane, tip.seq - 1)),
  changeTip((adversary, tip, lane, parent) =>
    tipAt(adversary, lane, (parent?.cut[lane] ?? tip).seq - 1),
  ),
  onOtherBranch,
  onOtherBranch,
  (_, block) => ({ ...block, cut: block.cut.slice(1) }),
];

/** The own lane's tip moved on to a batch that does not follow the one in the parent's cut. */
function onOtherBranch(adversary: Adversary, block: Block): Draft {
  const { self, setup } = adversary;
  const from = parentOf(adversary, block)?.cut[self]?.seq ?? -1;
  const further = (setup.knowledge.headers.get(self) ?? []).filter(({ seq }) => seq >= from);
  if (further.length === 0) return { ...block, height: block.height + 1 };
  const header = adversary.random.pick(further);
  const digest = setup.engine.structures.batchDigest(setup.crypto, setup.cluster.id, header);
  const cut = block.cut.map((tip, lane) => (lane === self ? { seq: header.seq, digest } : tip));
  return { ...block, cut };
}

type Retip = (adversary: Adversary, tip: Tip, lane: number, parent: Block | undefined) => Tip;

/** Changes the tip of some lane that holds anything, if one does. */
function changeTip(retip: Retip): Break {
  return (adversary, block) => {
    const full = block.cut.flatMap((tip, lane) => (tip.seq >= 0 ? [lane] : []));
    const lane = full.length > 0 ? adversary.random.pick(full) : 0;
    const parent = parentOf(adversary, block);
    const cut = block.cut.map((tip, at) =>
      at === lane ? retip(adversary, tip, lane, parent) : tip,
    );
    return { ...block, cut };
  };
}

function tipAt(adversary: Adversary, lane: number, seq: number): Tip {
  const { knowledge, engine, crypto, cluster } = adversary.setup;
  const header = knowledge.headers.get(lane)?.find((each) => each.seq === seq);
  if (header === undefined) return EMPTY_TIP;
  return { seq, digest: engine.structures.batchDigest(crypto, cluster.id, header) };
}

export const lawlessCut = (adversary: Adversary): Behaviour => lawless(adversary, CUTS);

/** Place: what a block in the middle of a term extends, and what it says allows it. */
const PLACES: readonly Break[] = [
  onSibling,
  onSibling,
  (adversary, block) => byCertificate(adversary, block, someCertificate(adversary)),
  (adversary, block) => ({ ...block, parent: adversary.randomDigest() }),
  (_, block) => ({ ...block, height: block.height + 1 }),
  (_, block) => ({ ...block, epoch: block.epoch + 1 }),
];

/** The certificate of one block, the digest of another one at its height. */
function onSibling(adversary: Adversary, block: Block): Draft {
  const parent = parentOf(adversary, block);
  if (parent === undefined || parent.term !== block.term)
    return { ...block, height: block.height + 1 };
  const sibling = adversary.signBlock({ ...parent, timestamp: parent.timestamp + 1 });
  adversary.say(proposal(sibling).message);
  return onto(adversary, block, adversary.digestOf(sibling), sibling);
}

/** Where a term begins: beside the highest certificate, or on what does not open this term. */
const BEGINNINGS: readonly Break[] = [
  (adversary, block) => byCertificate(adversary, block, highestOf(block)),
  (adversary, block) => {
    const highest = highestOf(block);
    const top = highest && adversary.setup.knowledge.blocks.get(highest.block);
    if (!top) return { ...block, height: block.height + 1 };
    return onto(adversary, block, top.parent, adversary.setup.knowledge.blocks.get(top.parent));
  },
  (adversary, block) => {
    const known = [...adversary.setup.knowledge.blocks];
    const child = known.findLast(([, each]) => each.height >= block.height - 1);
    if (child === undefined) return { ...block, parent: adversary.randomDigest() };
    return onto(adversary, block, ...child);
  },
  (adversary, block) => {
    const { timeoutCertificates, blocks } = adversary.setup.knowledge;
    const older = timeoutCertificates.findLast(({ term }) => term < block.term - 1);
    if (older === undefined) return { ...block, height: block.height + 1 };
    const parent = older.highest?.block ?? adversary.setup.cluster.id;
    const moved = onto(adversary, block, parent, blocks.get(parent));
    return { ...moved, justify: { kind: 'timeouts', certificate: older } };
  },
  (adversary, block) => ({
    ...onto(adversary, block, adversary.setup.cluster.id, undefined),
    justify: { kind: 'epoch' },
  }),
];

const highestOf = ({ justify }: Block): Certificate | null =>
  justify.kind === 'timeouts' ? justify.certificate.highest : null;

function someCertificate(adversary: Adversary): Certificate | null {
  const known = [...adversary.setup.knowledge.prepared.values()];
  return known.length === 0 ? null : adversary.random.pick(known);
}

function byCertificate(adversary: Adversary, block: Block, certificate: Certificate | null): Draft {
  if (certificate === null) return { ...block, justify: { kind: 'epoch' } };
  const parent = adversary.setup.knowledge.blocks.get(certificate.block);
  const moved = onto(adversary, block, certificate.block, parent);
  return {
    ...moved,
    height: certificate.height + 1,
    justify: { kind: 'certificate', certificate },
  };
}

/** Breaks in mid-term the one way, at the beginning of a term the other. */
export function lawlessPlace(adversary: Adversary): Behaviour {
  const beginnings = lawless(adversary, BEGINNINGS);
  const places = lawless(adversary, PLACES);
  return {
    outgoing(to, packet) {
      const block = isOwnProposal(adversary, packet);
      const isFirst = block !== null && block.justify.kind !== 'certificate';
      return (isFirst ? beginnings : places).outgoing?.(to, packet) ?? [packet];
    },
  };
}
