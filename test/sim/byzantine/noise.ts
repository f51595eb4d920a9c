/** Peers that repeat, invent, keep silent or answer falsely. */
import { BLOCKS_PER_ANSWER, type PeerMessage } from '../../../protocols/messages.ts';
import type { Block } from '../../../protocols/types.ts';
import type { Adversary, Behaviour } from './adversary.ts';

/** Old messages again, later, from its own channel, to anyone. */
export function replayer(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  return {
    tick() {
      if (setup.knowledge.heard.length === 0 || !random.chance(0.3)) return;
      const { message, body } = random.pick(setup.knowledge.heard);
      adversary.say(message, body, random.pick(adversary.others));
    },
  };
}

/** Messages of the right shape whose fields mean nothing, or mix what belongs to others. */
export function babbler(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const number = (): number =>
    random.pick([0, 1, 2, random.int(20), random.int(1_000_000), 2 ** 53 - 1]);
  const invent = (): PeerMessage => {
    const n = setup.cluster.n;
    const messages: readonly (() => PeerMessage)[] = [
      () => ({ kind: 'fetchBatches', lane: random.int(n + 2), fromSeq: number(), toSeq: number() }),
      () => ({
        kind: 'fetchBatch',
        lane: random.int(n + 2),
        seq: number(),
        digest: adversary.randomDigest(),
      }),
      () => ({ kind: 'fetchBlocks', fromHeight: number() }),
      () => ({ kind: 'fetchBlock', digest: adversary.randomDigest() }),
      () => ({
        kind: 'tipsShown',
        marks: [...setup.knowledge.marks.values()].slice(0, random.int(n + 1)),
      }),
      () => ({
        kind: 'handOver',
        handOver: adversary.signHandOver({ epoch: random.int(2), term: number() }),
      }),
      () => ({
        kind: 'vote',
        vote: adversary.signVote({
          kind: random.pick(['prepare', 'commit']),
          epoch: random.int(2),
          term: number(),
          height: number(),
          block: adversary.randomDigest(),
          first: random.chance(0.5),
        }),
      }),
      () => ({
        kind: 'blocks',
        blocks: [...setup.knowledge.blocks.values()].slice(0, random.int(4)),
        certificate: setup.knowledge.committed[0] ?? emptyCertificate(adversary),
      }),
      () => ({ kind: 'certificate', certificate: emptyCertificate(adversary) }),
    ];
    return random.pick(messages)();
  };
  return {
    tick() {
      if (random.chance(0.2)) adversary.say(invent(), undefined, random.pick(adversary.others));
    },
  };
}

function emptyCertificate(
  adversary: Adversary,
): Extract<PeerMessage, { kind: 'certificate' }>['certificate'] {
  return {
    kind: adversary.random.pick(['prepare', 'commit']),
    epoch: 0,
    term: adversary.random.int(4),
    height: adversary.random.int(10),
    block: adversary.randomDigest(),
    first: false,
    votes: [],
  };
}

/** Answers those who catch up with blocks that were never final, or with certificates that prove less. */
export function falseWitness(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const truthful = random.pick([0, 0.2]);
  const altered = (blocks: readonly Block[]): Block[] =>
    blocks.map((block, at) =>
      at === blocks.length - 1
        ? adversary.signBlock({ ...block, timestamp: block.timestamp + 1 })
        : block,
    );
  return {
    outgoing(_to, packet) {
      const { message } = packet;
      if (
        message.kind === 'batch' &&
        message.header.lane !== adversary.self &&
        random.chance(0.5)
      ) {
        return [{ message, body: random.bytes(packet.body?.length ?? 1) }];
      }
      if (message.kind !== 'blocks' || message.blocks.length === 0 || random.chance(truthful))
        return [packet];
      const { blocks, certificate } = message;
      const last = blocks.at(-1) as Block;
      const fake = altered(blocks);
      const prepared = setup.knowledge.prepared.get(certificate.block);
      const lies: readonly PeerMessage[] = [
        { kind: 'blocks', blocks: fake, certificate },
        {
          kind: 'blocks',
          blocks: fake,
          certificate: { ...certificate, block: adversary.digestOf(fake.at(-1) ?? last) },
        },
        { kind: 'blocks', blocks: blocks.slice(1), certificate },
        { kind: 'blocks', blocks: altered(blocks.slice(0, -1)), certificate },
        { kind: 'blocks', blocks, certificate: prepared ?? { ...certificate, kind: 'prepare' } },
        {
          kind: 'blocks',
          blocks,
          certificate: { ...certificate, votes: certificate.votes.slice(0, 1) },
        },
        { kind: 'blocks', blocks: [], certificate },
        unfinished(adversary, blocks[0]?.height ?? last.height) ?? {
          kind: 'blocks',
          blocks: blocks.toReversed(),
          certificate,
        },
      ];
      return [{ ...packet, message: random.pick(lies) }];
    },
    incoming(from, packet) {
      if (packet.message.kind !== 'fetchBlocks' || !random.chance(0.7)) return;
      const lie = unfinished(adversary, packet.message.fromHeight);
      if (lie !== null) adversary.say(lie, undefined, from);
    },
  };
}

/** Blocks from a height up to one that has a prepare certificate: prepared is not final (C1). */
function unfinished(adversary: Adversary, fromHeight: number): PeerMessage | null {
  const { knowledge } = adversary.setup;
  const certificate = [...knowledge.prepared.values()].findLast(
    ({ block, height }) => height >= fromHeight && knowledge.blocks.has(block),
  );
  if (certificate === undefined) return null;
  const blocks: Block[] = [];
  let at = knowledge.blocks.get(certificate.block);
  while (at !== undefined && at.height >= fromHeight && blocks.length < BLOCKS_PER_ANSWER) {
    blocks.unshift(at);
    at = knowledge.blocks.get(at.parent);
  }
  return { kind: 'blocks', blocks, certificate };
}

/** Says nothing of some kinds, or nothing at all. */
export function silent(adversary: Adversary): Behaviour {
  const { random } = adversary;
  const kinds: readonly PeerMessage['kind'][] = [
    'vote',
    'timeout',
    'marks',
    'batch',
    'proposal',
    'blocks',
  ];
  const withheld = random.chance(0.3)
    ? null
    : new Set(random.shuffle(kinds).slice(0, random.between(1, 3)));
  return {
    outgoing: (_to, packet) =>
      withheld === null || withheld.has(packet.message.kind) ? [] : [packet],
  };
}

/** One of two nodes that run under the same key: each talks to its own half of the others. */
export function twin(adversary: Adversary): Behaviour {
  const { setup } = adversary;
  const period = 200;
  return {
    outgoing(to, packet) {
      const turn = Math.floor(setup.nowMs() / period) % 3;
      const side = turn === 0 ? to % 2 : turn === 1 ? (to >> 1) % 2 : (to % 3) % 2;
      return side === setup.twin ? [packet] : [];
    },
  };
}
