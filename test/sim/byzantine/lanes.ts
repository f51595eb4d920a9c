/** Lane owners and replicas that break rules D1–D4. */
import type { BatchHeader, Digest, Tip } from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary, Behaviour } from './adversary.ts';

const FLOOD_MAX = 256;
const SIGNATURE_BYTES = 64;

/** Batches of its lane reach only some, whoever asks. */
export function withholder(adversary: Adversary): Behaviour {
  const { random } = adversary;
  const reached = new Map<number, Set<number>>();
  const count = random.between(0, Math.max(0, adversary.others.length - 1));
  return {
    outgoing(to, packet) {
      if (packet.message.kind !== 'batch') return [packet];
      const { seq } = packet.message.header;
      let friends = reached.get(seq);
      if (friends === undefined) {
        friends = new Set(random.shuffle(adversary.others).slice(0, count));
        reached.set(seq, friends);
      }
      return friends.has(to) || random.chance(0.05) ? [packet] : [];
    },
  };
}

/** Two batches for one seq of its lane, each to some; the second chain is continued too. */
export function laneEquivocator(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const other = new Map<number, Packet>();
  const digests = new Map<number, Digest>();
  const rival = (header: BatchHeader, body: Uint8Array): Packet => {
    const payload = random.chance(0.5) ? body.slice() : random.bytes(random.between(0, 40));
    if (payload.length > 0) payload[payload.length - 1] = random.int(256);
    const draft = {
      ...header,
      parentDigest: digests.get(header.seq - 1) ?? header.parentDigest,
      payloadDigest: setup.crypto.hash(payload),
      bytes: payload.length,
    };
    const signed = adversary.signHeader(draft);
    digests.set(
      header.seq,
      setup.engine.structures.batchDigest(setup.crypto, setup.cluster.id, draft),
    );
    setup.knowledge.learn(adversary.self, { kind: 'batch', header: signed }, payload);
    return { message: { kind: 'batch', header: signed }, body: payload };
  };
  return {
    outgoing(to, packet) {
      const { message, body } = packet;
      if (message.kind !== 'batch' || message.header.lane !== adversary.self) return [packet];
      const { seq } = message.header;
      let second = other.get(seq);
      if (second === undefined)
        other.set(seq, (second = rival(message.header, body ?? new Uint8Array())));
      if (random.chance(0.2)) return [packet, second];
      if (random.chance(0.2)) return [second, packet];
      return to % 2 === 0 ? [packet] : [second];
    },
  };
}

/** Each leader gets a batch of its lane that nobody else gets, and nothing more of the lane. */
export function leaderDeceiver(adversary: Adversary): Behaviour {
  const { setup } = adversary;
  const deceived = new Set<number>();
  let leader = 0;
  const ofTerm = (term: number): number => term % setup.cluster.n;
  return {
    incoming(_from, { message }) {
      if (message.kind === 'proposal') leader = ofTerm(message.block.term);
      if (message.kind === 'timeoutCertificate') leader = ofTerm(message.certificate.term + 1);
    },
    outgoing(to, packet) {
      const { message } = packet;
      if (message.kind !== 'batch' || message.header.lane !== adversary.self) return [packet];
      if (deceived.has(to)) return [];
      if (to !== leader) return [packet];
      deceived.add(to);
      const body = adversary.random.bytes(20);
      const payloadDigest = setup.crypto.hash(body);
      const rival = { ...message.header, payloadDigest, bytes: body.length };
      return [{ message: { kind: 'batch', header: adversary.signHeader(rival) }, body }];
    },
  };
}

/** Batches whose header, payload, chain or size are not what they should be. */
export function malformedLane(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  return {
    outgoing(_to, packet) {
      const { message, body } = packet;
      if (message.kind !== 'batch' || body === undefined || random.chance(0.5)) return [packet];
      const { header } = message;
      const variants: readonly (() => Packet)[] = [
        () => ({ message, body: random.bytes(body.length) }),
        () => ({ message, body: body.slice(1) }),
        () => ({
          message: { kind: 'batch', header: { ...header, signature: random.bytes(64) } },
          body,
        }),
        () => resigned({ ...header, parentDigest: adversary.randomDigest() }, body),
        () => resigned({ ...header, seq: header.seq + 1 }, body),
        () => resigned({ ...header, txCount: header.txCount + 1 }, body),
        () => resigned({ ...header, bytes: body.length + 1 }, body),
        () => oversized(header),
        () => resigned({ ...header, lane: random.pick(adversary.others) }, body),
      ];
      return random.chance(0.7) ? [random.pick(variants)(), packet] : [random.pick(variants)()];
    },
  };
  function resigned(header: BatchHeader, body: Uint8Array): Packet {
    return { message: { kind: 'batch', header: adversary.signHeader(header) }, body };
  }
  function oversized(header: BatchHeader): Packet {
    const body = new Uint8Array(setup.cluster.genesis.limits.batchBytesMax + 1);
    return resigned(
      { ...header, bytes: body.length, payloadDigest: setup.crypto.hash(body) },
      body,
    );
  }
}

/** Fills its lane with more than any lane may hold unfinished (D4), and never stops. */
export function flooder(adversary: Adversary): Behaviour {
  const { setup } = adversary;
  const payload = new Uint8Array(setup.cluster.genesis.limits.batchBytesMax - 4_096);
  const payloadDigest = setup.crypto.hash(payload);
  // Without its first batch nothing of the lane can become final.
  const withholdsFirst = adversary.random.chance(0.7);
  let seq = 0;
  let parentDigest = '0'.repeat(64) as Digest;
  return {
    outgoing: (_to, packet) =>
      packet.message.kind === 'batch' && packet.message.header.lane === adversary.self
        ? []
        : [packet],
    tick() {
      if (seq >= FLOOD_MAX) return;
      const draft = {
        epoch: 0,
        lane: adversary.self,
        seq,
        parentDigest,
        payloadDigest,
        txCount: 1,
      };
      const header = adversary.signHeader({ ...draft, bytes: payload.length });
      if (seq > 0 || !withholdsFirst) adversary.say({ kind: 'batch', header }, payload);
      parentDigest = setup.engine.structures.batchDigest(setup.crypto, setup.cluster.id, header);
      seq++;
    },
  };
}

/** Puts what it sees in others' lanes into its own as well, at once and again later. */
export function copycat(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const copy = ({ message, body }: Pick<Packet, 'message' | 'body'>): void => {
    if (message.kind !== 'batch' || body === undefined || message.header.lane === adversary.self)
      return;
    setup.toOwn('replication', {
      kind: 'sealBatch',
      payload: body.slice(),
      txCount: message.header.txCount,
    });
  };
  return {
    incoming(_from, packet) {
      if (random.chance(0.5)) copy(packet);
    },
    tick() {
      if (setup.knowledge.heard.length > 0 && random.chance(0.05))
        copy(random.pick(setup.knowledge.heard));
    },
  };
}

/** Alters what clients hand to it, in their name, and brings it into its lane instead. */
export function impostor(): Behaviour {
  return {
    local(message) {
      if (message.kind !== 'sealBatch' || message.payload.length <= SIGNATURE_BYTES) return message;
      const payload = message.payload.slice();
      const at = payload.length - SIGNATURE_BYTES - 1;
      payload[at] = (payload[at] as number) ^ 1;
      return { ...message, payload };
    },
  };
}

/** Claims to hold what it does not, or not to hold what it does; lies about executed states. */
export function markLiar(adversary: Adversary): Behaviour {
  const { random, setup } = adversary;
  const tipOf = (lane: number, tip: Tip): Tip => {
    const newest = setup.knowledge.headers.get(lane)?.at(-1);
    const lies: readonly (() => Tip)[] = [
      () => tip,
      () => ({ seq: tip.seq + random.between(1, 3), digest: adversary.randomDigest() }),
      () => ({ seq: -1, digest: '0'.repeat(64) as Digest }),
      () => (newest === undefined ? tip : tipNamed(newest)),
    ];
    return random.pick(lies)();
  };
  const tipNamed = (header: BatchHeader): Tip => ({
    seq: header.seq,
    digest: setup.engine.structures.batchDigest(setup.crypto, setup.cluster.id, header),
  });
  return {
    outgoing(_to, packet) {
      const { message } = packet;
      if (message.kind !== 'marks' || random.chance(0.3)) return [packet];
      const { marks } = message;
      const executed = random.pick([
        marks.executed,
        { ...marks.executed, stateRoot: adversary.randomDigest() },
        {
          ...marks.executed,
          height: marks.executed.height + setup.cluster.genesis.limits.checkpointInterval,
        },
      ]);
      const lie = adversary.signMarks({
        ...marks,
        tips: marks.tips.map((tip, lane) => tipOf(lane, tip)),
        executed,
      });
      return [{ ...packet, message: { kind: 'marks', marks: lie } }];
    },
  };
}
