/**
 * Validators whose keys the test holds: it signs blocks, votes and timeouts as any of them, and
 * steps one real machine that plays validator `self`.
 */
import { emptyCut, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import { ConsensusMachine } from '../../protocols/consensus/consensus.ts';
import { DEFAULT_LIMITS, type Cluster } from '../../protocols/genesis.ts';
import type { LogEvent, Output } from '../../protocols/machine.ts';
import type { ConsensusInput, Effect, PeerMessage } from '../../protocols/messages.ts';
import { quorumOf } from '../../protocols/quorum.ts';
import {
  blockBytes,
  blockDigest,
  handOverBytes,
  timeoutBytes,
  voteBytes,
} from '../../protocols/structures.ts';
import {
  ZERO_DIGEST,
  type Block,
  type Certificate,
  type Digest,
  type HandOver,
  type Justify,
  type Timeout,
  type TimeoutCertificate,
  type Tip,
  type Vote,
  type VoteKind,
} from '../../protocols/types.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';

export const T0 = 1_700_000_000_000;

export class Forge {
  readonly signers;
  readonly cluster: Cluster;

  constructor(n = 4) {
    this.signers = Array.from({ length: n }, () => signerFromPem(generateKey().pem));
    this.cluster = {
      id: nodeCrypto.hash(new Uint8Array([n])),
      n,
      quorum: quorumOf(n),
      genesis: {
        version: 1,
        name: 'test',
        createdAtMs: T0,
        validators: this.signers.map(({ publicKey }, at) => ({ id: `v${at}`, publicKey })),
        limits: DEFAULT_LIMITS,
        modules: {},
      },
    };
  }

  get genesisDigest(): Digest {
    return this.cluster.id;
  }

  digest(block: Omit<Block, 'signature'>): Digest {
    return blockDigest(nodeCrypto, this.cluster.id, block);
  }

  /** A block signed by the leader of its term (or by `signer`). */
  block(fields: Partial<Block>, signer?: number): Block {
    const content = {
      epoch: 0,
      term: 0,
      height: 1,
      parent: this.cluster.id,
      justify: { kind: 'epoch' } as Justify,
      cut: emptyCut(this.cluster.n),
      timestamp: T0 + 1000,
      executed: EXECUTED_NOTHING,
      endsEpoch: null,
      ...fields,
    };
    const by = this.signers[signer ?? content.term % this.cluster.n]!;
    return { ...content, signature: by.sign(blockBytes(this.cluster.id, content)) };
  }

  /** The block that follows `parent` in the same term. */
  child(parent: Block, fields: Partial<Block> = {}): Block {
    const certificate = this.certificate('prepare', parent);
    return this.block({
      term: parent.term,
      height: parent.height + 1,
      parent: this.digest(parent),
      justify: { kind: 'certificate', certificate },
      cut: parent.cut,
      executed: parent.executed,
      timestamp: parent.timestamp + 1,
      ...fields,
    });
  }

  vote(kind: VoteKind, block: Block, voter: number, over: Partial<Vote> = {}): Vote {
    const content = {
      kind,
      epoch: 0,
      term: block.term,
      height: block.height,
      block: this.digest(block),
      first: block.justify.kind !== 'certificate',
      voter,
      ...over,
    };
    return {
      ...content,
      signature: this.signers[voter]!.sign(voteBytes(this.cluster.id, content)),
    };
  }

  certificate(kind: VoteKind, block: Block, voters?: readonly number[]): Certificate {
    const chosen = voters ?? Array.from({ length: this.cluster.quorum }, (_, at) => at);
    const votes = chosen.map((voter) => this.vote(kind, block, voter));
    const { epoch, term, height, first } = votes[0]!;
    const shared = { kind, epoch, term, height, block: this.digest(block), first };
    return { ...shared, votes: votes.map(({ voter, signature }) => ({ voter, signature })) };
  }

  timeout(term: number, voter: number, highest: Certificate | null = null): Timeout {
    const content = {
      epoch: 0,
      term,
      highTerm: highest?.term ?? -1,
      highHeight: highest?.height ?? -1,
      highBlock: highest?.block ?? ZERO_DIGEST,
    };
    const signature = this.signers[voter]!.sign(timeoutBytes(this.cluster.id, content));
    return { ...content, voter, signature };
  }

  /** Timeouts of a quorum; `claims[voter]` is the certificate that the voter holds. */
  timeoutCertificate(
    term: number,
    claims: readonly (Certificate | null)[] = [null, null, null],
  ): TimeoutCertificate {
    const ranked = claims.filter((claim): claim is Certificate => claim !== null);
    ranked.sort((a, b) => b.term - a.term || b.height - a.height);
    return {
      epoch: 0,
      term,
      timeouts: claims.map((claim, voter) => {
        const { highTerm, highHeight, highBlock, signature } = this.timeout(term, voter, claim);
        return { voter, highTerm, highHeight, highBlock, signature };
      }),
      highest: ranked[0] ?? null,
    };
  }

  handOver(term: number, signer = term % this.cluster.n): HandOver {
    const content = { epoch: 0, term };
    return {
      ...content,
      signature: this.signers[signer]!.sign(handOverBytes(this.cluster.id, content)),
    };
  }
}

export const tipAt = (seq: number, name: string): Tip => ({
  seq,
  digest: nodeCrypto.hash(new TextEncoder().encode(name)),
});

/** What replication says when validators 0 to 2 report these tips. */
export const reported = (tips: readonly Tip[], bases: readonly number[]): ConsensusInput => ({
  kind: 'tipsReported',
  tips,
  bases,
  support: tips.map(() => [0, 1, 2]),
  executed: null,
});

/** One real consensus machine, its log, and everything it asked for. */
export class Seat {
  machine: ConsensusMachine;
  now = T0 + 1000;
  readonly log: LogEvent[] = [];
  readonly forge: Forge;
  readonly self: number;

  constructor(forge: Forge, self: number, log: readonly LogEvent[] = []) {
    this.forge = forge;
    this.self = self;
    this.log.push(...log);
    this.machine = this.#build();
  }

  #build(): ConsensusMachine {
    const machine = new ConsensusMachine({
      cluster: this.forge.cluster,
      self: this.self,
      crypto: nodeCrypto,
      signer: this.forge.signers[this.self]!,
      timing: { electionTimeoutMs: 500, heartbeatMs: 1000 },
    });
    for (let read = machine.nextRecovery(); read !== null; read = machine.nextRecovery()) {
      if ('snapshotUpTo' in read) throw new Error('consensus reads no snapshots');
      const { stream, from } = read;
      const events = this.log.filter((event) => event.stream === stream);
      const wanted = from === 'last' ? events.slice(-1) : events.filter(({ seq }) => seq >= from);
      for (const event of wanted) machine.recover(event);
    }
    return machine;
  }

  /** Steps one input; events go to the log, timers set for now fire at once. */
  step(input: ConsensusInput): Effect[] {
    const output = this.machine.step(input, this.now);
    return this.#settle(output);
  }

  #settle(output: Output<Effect>): Effect[] {
    this.log.push(...output.deferred, ...output.events);
    const effects = [...output.immediate, ...output.effects];
    const entered = effects.flatMap((effect) =>
      effect.kind === 'setTimer' && effect.timer.startsWith('entered/') ? [effect.timer] : [],
    );
    return [...effects, ...entered.flatMap((timer) => this.step({ kind: 'timer', timer }))];
  }

  start(): Effect[] {
    return this.step({ kind: 'started' });
  }

  from(peer: number, message: PeerMessage): Effect[] {
    return this.step({ kind: 'peerMessage', from: peer, message });
  }

  propose(block: Block): Effect[] {
    return this.from(block.term % this.forge.cluster.n, { kind: 'proposal', block });
  }

  /** Receives the block, and replication reports its batches durable. */
  proposeHeld(block: Block): Effect[] {
    const effects = this.propose(block);
    return [...effects, ...this.step({ kind: 'cutHeld', block: this.forge.digest(block) })];
  }

  prepared(block: Block): Effect[] {
    const certificate = this.forge.certificate('prepare', block);
    return this.step({ kind: 'prepareCertified', certificate, lastVoted: [] });
  }

  committed(block: Block): Effect[] {
    const certificate = this.forge.certificate('commit', block);
    return this.step({ kind: 'commitCertified', certificate });
  }

  /** The same validator after a crash: memory gone, log kept. */
  restarted(): Seat {
    const seat = new Seat(this.forge, this.self, this.log);
    seat.now = this.now;
    return seat;
  }
}

export function broadcasts(effects: readonly Effect[]): PeerMessage[] {
  return effects.flatMap((effect) => (effect.kind === 'broadcast' ? [effect.message] : []));
}

export function votes(effects: readonly Effect[], kind: VoteKind): Vote[] {
  return broadcasts(effects).flatMap((message) =>
    message.kind === 'vote' && message.vote.kind === kind ? [message.vote] : [],
  );
}

export function proposals(effects: readonly Effect[]): Block[] {
  return broadcasts(effects).flatMap((message) =>
    message.kind === 'proposal' ? [message.block] : [],
  );
}

export function timeouts(effects: readonly Effect[]): Timeout[] {
  return broadcasts(effects).flatMap((message) =>
    message.kind === 'timeout' ? [message.timeout] : [],
  );
}

export function faults(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'peerFault' ? [effect.code] : []));
}

export function chainOf(forge: Forge, length: number): Block[] {
  const blocks = [forge.block({})];
  while (blocks.length < length) blocks.push(forge.child(blocks.at(-1)!));
  return blocks;
}

export function finalised(effects: readonly Effect[]): number[] {
  return effects.flatMap((effect) =>
    effect.kind === 'tell' && effect.message.kind === 'finalised'
      ? [effect.message.block.height]
      : [],
  );
}

export function seatOf(self: number): { forge: Forge; seat: Seat } {
  const forge = new Forge();
  return { forge, seat: started(forge, self) };
}

/** Connected to all others. */
export function started(forge: Forge, self = 3): Seat {
  const seat = new Seat(forge, self);
  seat.start();
  for (let peer = 0; peer < forge.cluster.n; peer++) {
    if (peer !== self) seat.step({ kind: 'peerConnected', peer });
  }
  return seat;
}
