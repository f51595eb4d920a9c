/** Validators that vote against the rules, hide what they know, or put words into others' mouths. */
import type { PeerMessage } from '../../../protocols/messages.ts';
import type { Block, Certificate, TimeoutCertificate, Vote } from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary, Behaviour } from './adversary.ts';
import { isOwnProposal, proposal } from './leaders.ts';

/** Votes for every block it sees, prepare and commit, whatever it voted for before. */
export function doubleVoter(adversary: Adversary): Behaviour {
  const { random } = adversary;
  const voteOn = (block: Block): void => {
    const vote = adversary.voteFor(block, random.chance(0.6) ? 'prepare' : 'commit');
    adversary.say({ kind: 'vote', vote });
    if (random.chance(0.1)) {
      const against = adversary.signVote({ ...vote, block: adversary.randomDigest() });
      adversary.say({ kind: 'vote', vote: against }, undefined, random.pick(adversary.others));
    }
  };
  return {
    outgoing(_to, packet) {
      if (packet.message.kind === 'proposal') voteOn(packet.message.block);
      return [packet];
    },
    incoming(_from, packet) {
      if (packet.message.kind === 'proposal') voteOn(packet.message.block);
    },
  };
}

/** Votes of its own reach only some; its timeouts claim less than it knows, or nothing. */
export function hider(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const friends = new Set(random.shuffle(adversary.others).slice(0, 1));
  return {
    outgoing(to, packet) {
      const { message } = packet;
      if (message.kind === 'vote') return friends.has(to) || random.chance(0.3) ? [packet] : [];
      if (message.kind !== 'timeout' || random.chance(0.2)) return [packet];
      const { epoch, term } = message.timeout;
      const lower = [...setup.knowledge.prepared.values()].filter((each) => each.term <= term);
      const highest = lower.length > 0 && random.chance(0.5) ? random.pick(lower) : null;
      const timeout = adversary.signTimeout({
        epoch,
        term,
        highTerm: highest?.term ?? -1,
        highHeight: highest?.height ?? -1,
        highBlock: highest?.block ?? message.timeout.highBlock,
      });
      return [{ ...packet, message: { kind: 'timeout', timeout, highest, handOver: null } }];
    },
  };
}

/** Signs every commit vote wrongly, and does everything else right. */
export function badCommitter(adversary: Adversary): Behaviour {
  return {
    outgoing(_to, packet) {
      const { message } = packet;
      if (message.kind !== 'vote' || message.vote.kind !== 'commit') return [packet];
      const vote = { ...message.vote, signature: adversary.random.bytes(64) };
      return [{ ...packet, message: { kind: 'vote', vote } }];
    },
  };
}

/** Claims in its timeouts what it cannot back: higher ranks, other blocks, foreign certificates. */
export function boaster(adversary: Adversary): Behaviour {
  const { random } = adversary;
  return {
    outgoing(_to, packet) {
      const { message } = packet;
      if (message.kind !== 'timeout') return [packet];
      const { timeout, highest } = message;
      const bigger = {
        ...timeout,
        highTerm: timeout.term,
        highHeight: timeout.highHeight + random.between(1, 5),
      };
      const invented = forgedCertificate(adversary, bigger.highTerm, bigger.highHeight);
      const variants = [
        { timeout: adversary.signTimeout(bigger), highest },
        {
          timeout: adversary.signTimeout({ ...bigger, highBlock: invented.block }),
          highest: invented,
        },
        {
          timeout: adversary.signTimeout({ ...bigger, highTerm: timeout.term + 3 }),
          highest: null,
        },
        {
          timeout: adversary.signTimeout({ ...timeout, highBlock: adversary.randomDigest() }),
          highest,
        },
        { timeout: { ...timeout, signature: random.bytes(64) }, highest },
      ];
      const said = random.pick(variants);
      return [{ ...packet, message: { kind: 'timeout', ...said, handOver: message.handOver } }];
    },
  };
}

/** Abandons terms for no reason, far ahead or again and again. */
export function quitter(adversary: Adversary): Behaviour {
  const { random } = adversary;
  let term = 0;
  return {
    incoming(_from, packet) {
      if (packet.message.kind === 'proposal') term = Math.max(term, packet.message.block.term);
    },
    tick() {
      if (!random.chance(0.02)) return;
      const about = term + random.pick([0, 0, 0, 1, 5, 100]);
      const highBlock = adversary.setup.cluster.id;
      const empty = { epoch: 0, term: about, highTerm: -1, highHeight: -1, highBlock };
      const timeout = adversary.signTimeout(empty);
      adversary.say({ kind: 'timeout', timeout, highest: null, handOver: null });
      if (random.chance(0.3)) {
        adversary.say({
          kind: 'handOver',
          handOver: adversary.signHandOver({ epoch: 0, term: about }),
        });
      }
    },
  };
}

/** Forges: certificates without their votes, votes of others, signatures from another cluster. */
export function forger(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const forge = (block: Block): void => {
    const { term, height } = block;
    const digest = adversary.digestOf(block);
    const certificate = forgedCertificate(adversary, term, height, digest);
    const to = random.pick(adversary.others);
    const kind = random.int(8);
    if (kind === 0) adversary.say({ kind: 'certificate', certificate }, undefined, to);
    if (kind === 1)
      adversary.say({ kind: 'vote', vote: voteOfAnother(adversary, block) }, undefined, to);
    if (kind === 2) {
      adversary.say(
        { kind: 'timeoutCertificate', certificate: forgedTimeouts(adversary, term) },
        undefined,
        to,
      );
    }
    if (kind === 3) {
      const blocks = [adversary.signBlock({ ...block, timestamp: block.timestamp + 1 })];
      const top = {
        ...certificate,
        kind: 'commit' as const,
        block: adversary.digestOf(blocks[0] as Block),
      };
      adversary.say({ kind: 'blocks', blocks, certificate: top }, undefined, to);
    }
    if (kind === 7) {
      // The leader's place is justified; only the signature is not the leader's.
      const stolen = adversary.signBlock({ ...block, timestamp: block.timestamp + 1 });
      adversary.say({ kind: 'proposal', block: stolen });
    }
    if (kind === 4) adversary.say(forgedChild(adversary, block).message);
    if (kind === 6) adversary.say(timeoutOfAnother(adversary, term + random.int(3)), undefined, to);
    if (kind === 5) {
      const opener = { ...block, term: nextLed(adversary, term) };
      const timeouts = forgedTimeouts(adversary, opener.term - 1);
      const first = adversary.signBlock({
        ...opener,
        justify: { kind: 'timeouts', certificate: timeouts },
      });
      adversary.say({ kind: 'proposal', block: first });
    }
  };
  return {
    incoming(_from, packet) {
      if (packet.message.kind === 'proposal' && random.chance(0.4)) forge(packet.message.block);
    },
    outgoing(_to, packet) {
      const own = isOwnProposal(adversary, packet);
      if (own !== null && random.chance(0.5)) return [packet, forgedChild(adversary, own)];
      if (packet.message.kind !== 'vote' || !random.chance(0.1)) return [packet];
      const { vote } = packet.message;
      const signature = random.chance(0.5)
        ? random.bytes(64)
        : setup.signedElsewhere(
            adversary.self,
            setup.engine.structures.voteBytes(setup.otherCluster, vote),
          );
      return [{ ...packet, message: { kind: 'vote', vote: { ...vote, signature } } }];
    },
  };
}

/** A block on top of one that nobody has voted for yet. */
function forgedChild(adversary: Adversary, block: Block): Packet {
  const { term, height } = block;
  const parent = adversary.digestOf(block);
  const certificate = forgedCertificate(adversary, term, height, parent);
  const child = { ...block, height: height + 1, parent, timestamp: block.timestamp + 1 };
  return proposal(adversary.signBlock({ ...child, justify: { kind: 'certificate', certificate } }));
}

/** In another's name, about a term that it may not have abandoned. */
function timeoutOfAnother(adversary: Adversary, term: number): PeerMessage {
  const highBlock = '0'.repeat(64) as Block['parent'];
  const claim = { epoch: 0, term, highTerm: -1, highHeight: -1, highBlock };
  const timeout = {
    ...adversary.signTimeout(claim),
    voter: adversary.random.pick(adversary.others),
  };
  return { kind: 'timeout', timeout, highest: null, handOver: null };
}

function nextLed(adversary: Adversary, term: number): number {
  const { n } = adversary.setup.cluster;
  return term + 1 + ((adversary.self - term - 1 + n * (term + 2)) % n);
}

/**
 * A prepare certificate that must not count: too few votes, one vote many times, votes signed for
 * another cluster, or no signatures at all.
 */
function forgedCertificate(
  adversary: Adversary,
  term: number,
  height: number,
  block = adversary.randomDigest(),
): Certificate {
  const { random, setup } = adversary;
  const { cluster, engine } = setup;
  const content = {
    kind: 'prepare' as const,
    epoch: 0,
    term,
    height,
    block,
    first: random.chance(0.5),
  };
  const own = adversary.signVote(content);
  const elsewhere = engine.structures.voteBytes(setup.otherCluster, content);
  const voters = Array.from(
    { length: cluster.quorum },
    (_, at) => (at + adversary.self) % cluster.n,
  );
  const votesOf = (signature: (voter: number) => Uint8Array): Certificate['votes'] =>
    voters.map((voter) => ({
      voter,
      signature: voter === adversary.self ? own.signature : signature(voter),
    }));
  const forgeries: readonly (() => Certificate['votes'])[] = [
    () => [own],
    () => [],
    () => voters.map(() => ({ voter: own.voter, signature: own.signature })),
    () => votesOf(() => own.signature),
    () => votesOf((voter) => setup.signedElsewhere(voter, elsewhere)),
    () => setup.knowledge.prepared.values().next().value?.votes ?? [],
  ];
  return { ...content, votes: random.pick(forgeries)() };
}

function voteOfAnother(adversary: Adversary, block: Block): Vote {
  const { random, setup } = adversary;
  const voter = random.pick(adversary.others);
  const vote = { ...adversary.voteFor(block), voter };
  const bytes = setup.engine.structures.voteBytes(setup.otherCluster, vote);
  return random.chance(0.5) ? vote : { ...vote, signature: setup.signedElsewhere(voter, bytes) };
}

/** A timeout certificate that must not count, for a term that few or none abandoned. */
function forgedTimeouts(adversary: Adversary, term: number): TimeoutCertificate {
  const { random, setup } = adversary;
  const { cluster, knowledge, engine } = setup;
  const claim = { epoch: 0, term, highTerm: -1, highHeight: -1, highBlock: cluster.id };
  const { highTerm, highHeight, highBlock } = claim;
  const own = adversary.signTimeout(claim);
  const elsewhere = engine.structures.timeoutBytes(setup.otherCluster, claim);
  const entry = (voter: number, signature: Uint8Array): TimeoutCertificate['timeouts'][number] => ({
    voter,
    highTerm,
    highHeight,
    highBlock,
    signature,
  });
  const voters = Array.from(
    { length: cluster.quorum },
    (_, at) => (at + adversary.self) % cluster.n,
  );
  const genuine = [...(knowledge.timeouts.get(term)?.values() ?? [])].map(({ timeout }) => timeout);
  const forgeries: readonly (() => TimeoutCertificate['timeouts'])[] = [
    () => [entry(own.voter, own.signature)],
    () => voters.map(() => entry(own.voter, own.signature)),
    () => voters.map((voter) => entry(voter, own.signature)),
    () => voters.map((voter) => entry(voter, setup.signedElsewhere(voter, elsewhere))),
    // Genuine timeouts of the term, with the highest claim left out of the certificate.
    () => genuine,
  ];
  const low = [...knowledge.prepared.values()].filter((each) => each.term <= term);
  const highest = low.length > 0 && random.chance(0.5) ? random.pick(low) : null;
  return { epoch: 0, term, timeouts: random.pick(forgeries)(), highest };
}
