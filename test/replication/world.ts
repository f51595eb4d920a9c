/**
 * Four replication machines in their real shells, on a seeded virtual network and log: messages are
 * delayed, reordered and lost, appends take time, and a crash loses what was not written yet.
 *
 * Consensus and execution are stand-ins outside the nodes. The first takes any node's report as a
 * proposal and makes it final once a quorum holds it; the second writes down what it is given. What
 * no node may ever do is checked as it happens: mark what its log does not have, sign two headers
 * for one seq, execute another order.
 */
import { Buffer } from 'node:buffer';
import type { Host } from '../../actors/host.ts';
import { Shell } from '../../actors/shell.ts';
import { emptyCut } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { LocalMessage, PeerMessage, ReplicationInput } from '../../protocols/messages.ts';
import { readEvent } from '../../protocols/stored.ts';
import { ReplicationMachine } from '../../protocols/replication/replication.ts';
import { batchDigest, batchHeader } from '../../protocols/structures.ts';
import type { Block, Digest, Executed, Tip } from '../../protocols/types.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { T0 } from '../consensus/forge.ts';
import { checkpoint, Lab, Log } from './lab.ts';

export interface Weather {
  /** Share of messages lost. */
  loss: number;
  /** Longest delay of a message in ms. */
  delayMs: number;
}

/** mulberry32: small, seeded, good enough to shuffle with. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A Byzantine validator in the place of a node: it says what it likes. */
export type Stranger = (from: number, message: PeerMessage) => void;

export class World {
  readonly lab: Lab;
  readonly random: () => number;
  readonly weather: Weather = { loss: 0, delayMs: 5 };
  readonly nodes: Node[];
  readonly final: Block[] = [];
  readonly faults: string[] = [];
  readonly strangers = new Map<number, Stranger>();
  now = T0;
  #tasks: Task[] = [];
  #order = 0;
  #proposed: { readonly block: Block; readonly holders: Set<number> } | null = null;

  constructor(seed: number, strangers: readonly number[] = []) {
    this.lab = new Lab();
    this.random = random(seed);
    this.nodes = Array.from({ length: 4 }, (_, self) => new Node(this, self));
    for (const stranger of strangers) this.strangers.set(stranger, () => {});
    for (const node of this.honest) node.start();
    this.#propose();
  }

  get honest(): Node[] {
    return this.nodes.filter(({ self }) => !this.strangers.has(self));
  }

  after(ms: number, run: () => void): void {
    this.#tasks.push({ at: this.now + ms, order: this.#order++, run });
  }

  /** Runs `ms` of virtual time. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.#tasks.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#tasks[0];
      if (next === undefined || next.at > end) break;
      this.#tasks.shift();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  send(from: number, to: number, message: PeerMessage, body?: Uint8Array): void {
    if (this.random() < this.weather.loss) return;
    this.after(1 + Math.floor(this.random() * this.weather.delayMs), () => {
      const stranger = this.strangers.get(to);
      if (stranger !== undefined) return stranger(from, message);
      const input = { kind: 'peerMessage', from, message } as const;
      this.nodes[to]!.deliver(body === undefined ? input : { ...input, body });
    });
  }

  /** What a stranger signs and says to one node. */
  lie(from: number, to: number, message: PeerMessage, body?: Uint8Array): void {
    this.send(from, to, message, body);
  }

  held(node: number, block: Digest): void {
    const proposed = this.#proposed;
    if (proposed === null || this.lab.forge.digest(proposed.block) !== block) return;
    proposed.holders.add(node);
    if (proposed.holders.size < Math.min(3, this.honest.length)) return;
    this.#proposed = null;
    this.final.push(proposed.block);
    for (const each of this.honest) each.finalised(proposed.block);
  }

  /** What a restarted node is told: the final blocks that its log lacks, and what is proposed. */
  greet(node: Node): void {
    for (const block of this.final.slice(node.log.stream('chain').length)) node.finalised(block);
    if (this.#proposed !== null) this.#ask(node, this.#proposed.block);
  }

  #propose(): void {
    this.after(10, () => this.#propose());
    const leader = this.honest[Math.floor(this.random() * this.honest.length)]!;
    if (this.#proposed !== null || leader.reported.length === 0) return;
    const before = this.final.at(-1)?.cut ?? this.lab.cut({});
    const cut = leader.reported.map((tip, lane) =>
      tip.seq > before[lane]!.seq ? tip : before[lane]!,
    );
    if (cut.every((tip, lane) => tip.seq === before[lane]!.seq)) return;
    const block = this.lab.block(this.final.length + 1, cut);
    this.#proposed = { block, holders: new Set() };
    for (const node of this.honest) this.#ask(node, block);
  }

  #ask(node: Node, block: Block): void {
    const parentCut = this.final.at(-1)?.cut ?? this.lab.cut({});
    const { term, height, cut } = block;
    const digest = this.lab.forge.digest(block);
    node.deliver({ kind: 'holdCut', block: digest, term, height, cut, parentCut });
  }
}

export class Node {
  readonly world: World;
  readonly self: number;
  readonly log = new Log();
  /** Tips that a quorum holds, as this node last reported them. */
  reported: readonly Tip[] = [];
  agreed: Executed | null = null;
  /** `height: payloads` since the last start. */
  executed: string[] = [];
  readonly sealed: string[] = [];
  room = 0;
  #shell: Shell<ReplicationInput> | null = null;
  #writing: LogEvent[][] = [];
  #executedAt = 0;
  #writtenAt = 0;
  #lives = 0;
  readonly #signed = new Map<number, Digest>();

  constructor(world: World, self: number) {
    this.world = world;
    this.self = self;
  }

  get up(): boolean {
    return this.#shell !== null;
  }

  start(): void {
    const { lab } = this.world;
    const machine = new ReplicationMachine({
      cluster: lab.cluster,
      self: this.self,
      crypto: nodeCrypto,
      signer: lab.forge.signers[this.self]!,
    });
    this.executed = [];
    this.reported = [];
    const life = ++this.#lives;
    const alive = (): boolean => this.up && this.#lives === life;
    const shell = new Shell<ReplicationInput>(machine, this.#host(alive));
    this.#shell = shell;
    shell.start(() => this.world.greet(this));
    shell.deliver({ kind: 'executeFrom', height: 0, cut: emptyCut(this.world.lab.cluster.n) });
  }

  /** Memory is gone; of what was being written, a random part got there. */
  crash(): void {
    this.#shell?.kill();
    this.#shell = null;
    const written = Math.floor(this.world.random() * (this.#writing.length + 1));
    for (const events of this.#writing.slice(0, written)) this.log.append(events);
    this.#writing = [];
  }

  deliver(input: ReplicationInput): void {
    this.#shell?.deliver(input);
  }

  seal(text: string): void {
    if (this.#shell === null || this.room < text.length) return;
    this.sealed.push(text);
    this.deliver({ kind: 'sealBatch', payload: Buffer.from(text), txCount: 1 });
  }

  /** Consensus tells of the block at once and writes it a little later. */
  finalised(block: Block): void {
    if (this.#shell === null) return;
    this.deliver({ kind: 'finalised', block, digest: this.world.lab.forge.digest(block) });
    const shell = this.#shell;
    const delayMs = 20 + Math.floor(this.world.random() * 20);
    this.#writtenAt = Math.max(this.#writtenAt, this.world.now + delayMs);
    this.world.after(this.#writtenAt - this.world.now, () => {
      const event = this.world.lab.chainEvent(block);
      if (this.#shell === shell && this.log.stream('chain').length === event.seq) {
        this.log.append([event]);
      }
    });
  }

  #host(alive: () => boolean): Host {
    const { world } = this;
    const later = (ms: number, run: () => void) => world.after(ms, () => alive() && run());
    const timers = new Map<string, number>();
    return {
      now: () => world.now,
      soon: (task) => later(0, task),
      setTimer: (timer, at) => {
        timers.set(timer, at);
        later(Math.max(0, at - world.now), () => {
          if (timers.get(timer) !== at) return;
          timers.delete(timer);
          this.#shell?.timerFired(timer);
        });
      },
      clearTimer: (timer) => void timers.delete(timer),
      append: (events, done) => {
        const batch = [...events];
        this.#writing.push(batch);
        later(1 + Math.floor(world.random() * 6), () => {
          this.#writing = this.#writing.filter((each) => each !== batch);
          this.log.append(batch);
          done();
        });
      },
      read: ({ stream, from, to, bytesMax }, done) =>
        later(1, () => done(null, this.log.read(stream, from, to, bytesMax))),
      readLast: (stream, done) =>
        later(1, () => done(null, this.log.stream(stream).at(-1) ?? null)),
      find: (key, done) => later(1, () => done(null, this.log.find(key))),
      prune: () => {
        throw new Error('replication prunes nothing');
      },
      tell: (_to, message) => this.#told(message),
      send: (to, message, body) => this.#say([to], message, body),
      broadcast: (message, body) => this.#say([0, 1, 2, 3], message, body),
      peerFault: (peer, code) => void world.faults.push(`${peer} ${code}`),
      keepSnapshot: () => unexpected('replication keeps no snapshots'),
      readSnapshot: () => unexpected('replication reads no snapshots'),
      failed: (error) => {
        throw error;
      },
    };
  }

  #say(to: readonly number[], message: PeerMessage, body?: Uint8Array): void {
    if (message.kind === 'marks')
      message.marks.tips.forEach((tip, lane) => this.#demand(tip, lane));
    if (message.kind === 'batch') {
      const { crypto, id } = { crypto: nodeCrypto, id: this.world.lab.cluster.id };
      const digest = batchDigest(crypto, id, message.header);
      const { lane, seq } = message.header;
      this.#demand({ seq, digest }, lane);
      if (lane === this.self) this.#once(seq, digest);
    }
    for (const each of to) if (each !== this.self) this.world.send(this.self, each, message, body);
  }

  /** P1: what is said of a batch is in the log already. */
  #demand(tip: Tip, lane: number): void {
    if (tip.seq < 0) return;
    const events = [this.log.stream(`lane-${lane}`)[tip.seq], ...this.log.stream(`fork-${lane}`)];
    const durable = events.some(
      (event) => event?.kind === 'batchStored' && digestOf(this, event) === tip.digest,
    );
    if (!durable)
      throw new Error(`node ${this.self} speaks of lane ${lane} seq ${tip.seq} too early`);
  }

  #once(seq: number, digest: Digest): void {
    const before = this.#signed.get(seq) ?? digest;
    if (before !== digest) throw new Error(`node ${this.self} signed two headers for seq ${seq}`);
    this.#signed.set(seq, digest);
  }

  #told(message: LocalMessage): void {
    if (message.kind === 'tipsReported') {
      this.reported = message.tips;
      this.agreed = message.executed;
    } else if (message.kind === 'laneRoom') this.room = message.bytes;
    else if (message.kind === 'cutHeld') this.world.held(this.self, message.block);
    else if (message.kind === 'execute') this.#execute(message);
  }

  #execute({ block, batches }: Extract<LocalMessage, { kind: 'execute' }>): void {
    const { height } = block;
    if (height !== this.executed.length + 1)
      throw new Error(`node ${this.self} got ${height} out of turn`);
    const texts = batches.map(({ payload }) => Buffer.from(payload).toString());
    this.executed.push(`${height}: ${texts.join(', ')}`);
    const shell = this.#shell;
    this.#executedAt = Math.max(this.#executedAt, this.world.now) + 1;
    this.world.after(this.#executedAt - this.world.now, () => {
      if (this.#shell !== shell) return;
      this.deliver({ kind: 'executedTo', height });
      if (height % 16 !== 0) return;
      this.deliver({ kind: 'checkpointExecuted', executed: checkpoint(height) });
    });
  }
}

const digests = new WeakMap<LogEvent, Digest>();

function digestOf(node: Node, event: LogEvent): Digest {
  const known = digests.get(event);
  if (known !== undefined) return known;
  const { id } = node.world.lab.cluster;
  const digest = batchDigest(nodeCrypto, id, readEvent(batchHeader, event));
  digests.set(event, digest);
  return digest;
}

function unexpected(what: string): never {
  throw new Error(what);
}
