/**
 * A lab around one real replication machine: it signs batches and marks as any validator, keeps the
 * machine's log, answers its reads from it, and fires its timers when the test moves the clock.
 */
import { Buffer } from 'node:buffer';
import { CHAIN_STREAM, chainEntry, emptyCut, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import { DEFAULT_LIMITS, type Cluster, type ConsensusLimits } from '../../protocols/genesis.ts';
import { InvariantViolation, type LogEvent, type LogRead } from '../../protocols/machine.ts';
import type { Effect, PeerMessage, ReplicationInput } from '../../protocols/messages.ts';
import type { Batch } from '../../protocols/replication/lane.ts';
import { ReplicationMachine } from '../../protocols/replication/replication.ts';
import { batchBytes, marksBytes } from '../../protocols/structures.ts';
import {
  EMPTY_TIP,
  type BatchHeader,
  type Block,
  type Digest,
  type Executed,
  type Marks,
  type Tip,
} from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { Forge, T0 } from '../consensus/forge.ts';

export const hash = (text: string): Digest => nodeCrypto.hash(Buffer.from(text));
export const tipOf = (batch: Batch | undefined): Tip =>
  batch === undefined ? EMPTY_TIP : { seq: batch.header.seq, digest: batch.digest };

export const checkpoint = (height: number, name = `state ${height}`): Executed => ({
  ...EXECUTED_NOTHING,
  height,
  stateRoot: hash(name),
});

export class Lab {
  readonly forge: Forge;
  readonly cluster: Cluster;

  constructor(n = 4, limits: Partial<ConsensusLimits> = {}) {
    this.forge = new Forge(n);
    const { genesis } = this.forge.cluster;
    this.cluster = {
      ...this.forge.cluster,
      genesis: { ...genesis, limits: { ...DEFAULT_LIMITS, ...limits } },
    };
  }

  /** The batch after `parent` in a lane, signed by its owner or by `signer`. */
  batch(
    lane: number,
    parent: Batch | undefined,
    text: string,
    over: Partial<BatchHeader> = {},
    signer = lane,
  ): Batch {
    const payload = Buffer.from(text);
    const content = {
      epoch: 0,
      lane,
      seq: tipOf(parent).seq + 1,
      parentDigest: tipOf(parent).digest,
      payloadDigest: nodeCrypto.hash(payload),
      txCount: 1,
      bytes: payload.length,
      ...over,
    };
    const bytes = batchBytes(this.cluster.id, content);
    const signature = this.forge.signers[signer]!.sign(bytes);
    return { header: { ...content, signature }, digest: nodeCrypto.hash(bytes), payload };
  }

  /** `count` linked batches of a lane; `name` makes a branch its own. */
  batches(lane: number, count: number, name = 'batch', parent?: Batch): Batch[] {
    const made: Batch[] = [];
    for (let at = 0; at < count; at++) {
      made.push(this.batch(lane, made.at(-1) ?? parent, `${name} ${lane}/${at}`));
    }
    return made;
  }

  /** A cut with these tips; other lanes are empty. */
  cut(tips: Readonly<Record<number, Tip>>): Tip[] {
    return emptyCut(this.cluster.n).map((empty, lane) => tips[lane] ?? empty);
  }

  marks(
    validator: number,
    cut: readonly Tip[],
    executed = EXECUTED_NOTHING,
    by = validator,
  ): Marks {
    const content = { epoch: 0, validator, tips: cut, executed };
    const signature = this.forge.signers[by]!.sign(marksBytes(this.cluster.id, content));
    return { ...content, signature };
  }

  block(height: number, cut: readonly Tip[], fields: Partial<Block> = {}): Block {
    return this.forge.block({ height, cut, ...fields });
  }

  chainEvent(block: Block): LogEvent {
    const header = packStructure(chainEntry, { block, certificate: null });
    return { stream: CHAIN_STREAM, seq: block.height - 1, kind: 'blockFinal', header };
  }
}

/** A log as the node's store keeps it: dense streams, reads cut by bytes, the newest event of a key. */
export class Log {
  readonly streams = new Map<string, LogEvent[]>();

  append(events: readonly LogEvent[]): void {
    for (const event of events) {
      const stream = this.stream(event.stream);
      if (event.seq !== stream.length) {
        throw new Error(`${event.stream}: ${event.seq} appended at ${stream.length}`);
      }
      stream.push(event);
    }
  }

  stream(name: string): LogEvent[] {
    const stream = this.streams.get(name) ?? [];
    this.streams.set(name, stream);
    return stream;
  }

  find(key: string): LogEvent | null {
    return [...this.streams.values()].flat().findLast(({ keys }) => keys?.includes(key)) ?? null;
  }

  read(name: string, from: number, to: number, bytesMax: number): LogEvent[] {
    const found: LogEvent[] = [];
    let bytes = 0;
    for (const event of this.stream(name).slice(from, to)) {
      if (found.length > 0 && bytes >= bytesMax) break;
      bytes += event.body?.length ?? 0;
      found.push(event);
    }
    return found;
  }

  copy(): Log {
    const copy = new Log();
    for (const [name, events] of this.streams) copy.streams.set(name, [...events]);
    return copy;
  }
}

/** Gives a new machine what its log holds; what it read. */
export function recover(machine: ReplicationMachine, log: Log): LogRead[] {
  const reads: LogRead[] = [];
  for (let read = machine.nextRecovery(); read !== null; read = machine.nextRecovery()) {
    if ('snapshotUpTo' in read) throw new Error('replication reads no snapshots');
    const events = log.stream(read.stream);
    const wanted = read.from === 'last' ? events.slice(-1) : events.slice(read.from);
    for (const { body, ...event } of wanted) {
      machine.recover(read.bodies && body !== undefined ? { ...event, body } : event);
    }
    reads.push(read);
  }
  return reads;
}

type ReadLog = Extract<Effect, { kind: 'readLog' }>;

export class Seat {
  readonly lab: Lab;
  readonly self: number;
  readonly log: Log;
  readonly machine: ReplicationMachine;
  readonly recoveryReads: readonly LogRead[];
  readonly timers = new Map<string, number>();
  /** Reads that were asked for while `answering` was off. */
  readonly reads: ReadLog[] = [];
  answering = true;
  now = T0;
  /** Signatures checked so far. */
  checks = 0;

  constructor(lab: Lab, self = 0, log = new Log()) {
    this.lab = lab;
    this.self = self;
    this.log = log;
    const signer = lab.forge.signers[self]!;
    this.machine = new ReplicationMachine({
      cluster: lab.cluster,
      self,
      crypto: { ...nodeCrypto, verify: (...args) => this.#verify(...args) },
      signer,
    });
    this.recoveryReads = recover(this.machine, log);
  }

  #verify(...args: Parameters<Crypto['verify']>): boolean {
    this.checks++;
    return nodeCrypto.verify(...args);
  }

  /** One turn with one input: what is durable is written, then effects leave, reads are answered. */
  step(input: ReplicationInput): Effect[] {
    const output = this.machine.step(input, this.now);
    if (output.immediate.length > 0) throw new Error('an effect would leave before it is durable');
    this.log.append([...output.deferred, ...output.events]);
    const effects = output.effects.filter(({ kind }) => kind !== 'readLog');
    for (const effect of effects) {
      if (effect.kind === 'setTimer') this.timers.set(effect.timer, effect.at);
    }
    for (const effect of output.effects) {
      if (effect.kind === 'findLog') {
        const event = this.log.find(effect.key);
        effects.push(...this.step({ kind: 'logFound', tag: effect.tag, event }));
      }
      if (effect.kind !== 'readLog') continue;
      if (this.answering) effects.push(...this.answer(effect));
      else this.reads.push(effect);
    }
    return effects;
  }

  answer({ tag, stream, from, to, bytesMax }: ReadLog): Effect[] {
    const events = this.log.read(stream, from, to, bytesMax);
    return this.step({ kind: 'logRead', tag, events });
  }

  start(): Effect[] {
    const started = this.step({ kind: 'started' });
    const cut = emptyCut(this.lab.cluster.n);
    return [...started, ...this.step({ kind: 'executeFrom', height: 0, cut })];
  }

  from(peer: number, message: PeerMessage, body?: Uint8Array): Effect[] {
    const input = { kind: 'peerMessage', from: peer, message } as const;
    return this.step(body === undefined ? input : { ...input, body });
  }

  /** A batch as its owner streams it, or as `peer` answers a fetch. */
  batch(batch: Batch, peer = batch.header.lane): Effect[] {
    return this.from(peer, { kind: 'batch', header: batch.header }, batch.payload);
  }

  batches(batches: readonly Batch[]): Effect[] {
    return batches.flatMap((batch) => this.batch(batch));
  }

  marks(marks: Marks): Effect[] {
    return this.from(marks.validator, { kind: 'marks', marks });
  }

  seal(text: string): Effect[] {
    return this.step({ kind: 'sealBatch', payload: Buffer.from(text), txCount: 1 });
  }

  /** Asks for the cut of a block of term 0, after that of its parent. */
  holdCut(
    name: string,
    cut: readonly Tip[],
    parentCut = emptyCut(this.lab.cluster.n),
    place: { term?: number; height?: number } = {},
  ): Effect[] {
    const { term = 0, height = 1e6 } = place;
    return this.step({ kind: 'holdCut', block: hash(name), term, height, cut, parentCut });
  }

  /** The block is final; consensus writes it to its stream afterwards. */
  finalise(block: Block): Effect[] {
    const effects = this.step({ kind: 'finalised', block, digest: this.lab.forge.digest(block) });
    this.log.append([this.lab.chainEvent(block)]);
    return effects;
  }

  /** Moves the clock in steps of 5 ms and fires what is due. */
  wait(ms: number): Effect[] {
    const effects: Effect[] = [];
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.now + 5);
      const due = [...this.timers].filter(([, at]) => at <= this.now);
      for (const [timer] of due) {
        this.timers.delete(timer);
        effects.push(...this.step({ kind: 'timer', timer }));
      }
    }
    return effects;
  }

  /** The same validator after a crash: memory gone, log kept. */
  restarted(): Seat {
    const seat = new Seat(this.lab, this.self, this.log);
    seat.now = this.now;
    seat.answering = this.answering;
    return seat;
  }
}

type Tell<K> = Extract<Effect, { kind: 'tell' }>['message'] & { readonly kind: K };

export function tells<K extends Tell<string>['kind']>(
  effects: readonly Effect[],
  kind: K,
): Tell<K>[] {
  return effects.flatMap((effect) =>
    effect.kind === 'tell' && effect.message.kind === kind ? [effect.message as Tell<K>] : [],
  );
}

export interface Sent<K> {
  readonly to: number | 'all';
  readonly message: PeerMessage & { readonly kind: K };
  readonly body: Uint8Array | undefined;
}

export function sent<K extends PeerMessage['kind']>(
  effects: readonly Effect[],
  kind: K,
): Sent<K>[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'send' && effect.kind !== 'broadcast') return [];
    if (effect.message.kind !== kind) return [];
    const to = effect.kind === 'send' ? effect.to : 'all';
    return [{ to, message: effect.message as Sent<K>['message'], body: effect.body }];
  });
}

export function faults(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'peerFault' ? [effect.code] : []));
}

/** The newest tips that were broadcast. */
export function marked(effects: readonly Effect[]): readonly Tip[] | undefined {
  return sent(effects, 'marks').at(-1)?.message.marks.tips;
}

/** `height: payload payload …` of everything told to execution. */
export function executed(effects: readonly Effect[]): string[] {
  return tells(effects, 'execute').map(({ block, batches }) => {
    const texts = batches.map(({ payload }) => Buffer.from(payload).toString());
    return `${block.height}: ${texts.join(', ')}`;
  });
}

export function violation(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof InvariantViolation) return error.code;
    throw error;
  }
  return undefined;
}
