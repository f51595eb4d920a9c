/**
 * One simulated node: the four real machines in four real shells, with a host made of virtual time, a
 * simulated log and the simulated network. A crash kills all four at once; a start recovers them from
 * the log. What an incarnation left behind (timers, writes, reads) never reaches the next one.
 */
import type { Host } from '../../actors/host.ts';
import type { Shell } from '../../actors/shell.ts';
import type { RecordPace } from '../../protocols/consensus/safety-record.ts';
import type { ConsensusTiming } from '../../protocols/consensus/state.ts';
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import {
  ROUTES,
  type CommonInput,
  type EdgeMessage,
  type LocalMessage,
  type PeerMessage,
  type ProtocolActor,
} from '../../protocols/messages.ts';
import { ActorHost } from './actor-host.ts';
import type { SkewedClock } from './clock.ts';
import type { Engine, NodeMachines } from './engine.ts';
import type { Endpoint, Network } from './network.ts';
import type { Observer } from './observer.ts';
import type { Random } from '../../bench/random.ts';
import type { Scheduler } from './scheduler.ts';
import { SimSnapshots } from './snapshots.ts';
import { SimLog, type AppendPhase } from './storage.ts';
import type { Trace } from './trace.ts';

export const ACTORS: readonly ProtocolActor[] = [
  'consensus',
  'voting',
  'replication',
  'transaction',
];

/** Probability that a crash spoils the newest snapshot. */
const SPOILED = 0.1;

/** How fast this node's machine is, and how reliable its disk. */
export interface NodeSpeed {
  /** Mean microseconds from a mailbox's first input to the turn that takes it. */
  readonly turnUs: number;
  readonly syncUs: number;
  readonly executeUsPerKib: number;
  /** Probability that an append is refused while faults last. */
  readonly appendErrors: number;
}

export interface NodeSetup {
  readonly engine: Engine;
  readonly cluster: Cluster;
  readonly validator: number;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly timing: ConsensusTiming;
  readonly snapshotWorkMin: number;
  readonly records: RecordPace;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly random: Random;
  readonly clock: SkewedClock;
  readonly speed: NodeSpeed;
  /** Nobody has given it the module of the upgrade yet. */
  readonly lacksUpgrade: boolean;
  readonly observers: readonly Observer[];
  readonly trace: Trace;
  /** Sends what a host was asked to send; a Byzantine node's adversary stands here. */
  readonly transmit: (node: SimNode, to: number, message: PeerMessage, body?: Uint8Array) => void;
  /** What its actors hear in place of what they tell each other: the same, on an honest node. */
  readonly local: (message: LocalMessage) => LocalMessage;
  /** A peer's message arrives; an adversary listens here. */
  readonly heard: (from: number, message: PeerMessage, body: Uint8Array | undefined) => void;
  readonly toClients: (node: SimNode, message: EdgeMessage) => void;
}

type AnyShell = Shell<{ readonly kind: string }>;

export class SimNode implements Endpoint {
  readonly setup: NodeSetup;
  readonly instance: number;
  readonly log: SimLog;
  readonly snapshots = new SimSnapshots();
  /** All four actors have recovered. */
  up = false;
  /** The process exists, recovered or not. */
  running = false;
  incarnation = 0;
  /** Appends issued by all incarnations. */
  appends = 0;
  /** How often it was stopped for a while, and when last. */
  pauses = 0;
  pausedAtUs = -Infinity;
  /** When it was last connected to too few for a quorum. */
  aloneAtUs = 0;
  faulty = true;
  /** Called as each append passes its phases; a scenario crashes the node from here. */
  appendHook: ((append: number, phase: AppendPhase) => void) | null = null;
  machines: NodeMachines | null = null;
  lacksUpgrade: boolean;
  readonly #connected = new Set<number>();
  #pausedUntil = 0;
  /** What came due in a pause, in that order: pauses may overlap. */
  #held: (() => void)[] = [];
  #failures = 0;
  #shells = new Map<ProtocolActor, AnyShell>();
  #hosts: ActorHost[] = [];

  constructor(setup: NodeSetup) {
    this.setup = setup;
    this.lacksUpgrade = setup.lacksUpgrade;
    this.instance = setup.network.attach(this);
    this.log = new SimLog((events) => {
      for (const observer of setup.observers) observer.synced?.(this, events);
    });
  }

  get validator(): number {
    return this.setup.validator;
  }

  start(): void {
    const { engine, cluster, validator, crypto, signer, timing } = this.setup;
    this.running = true;
    this.incarnation++;
    this.note('start', this.incarnation);
    const { lacksUpgrade } = this;
    const own = { self: validator, signer, lacksUpgrade };
    const { snapshotWorkMin, records } = this.setup;
    this.machines = engine.machines({ cluster, crypto, timing, snapshotWorkMin, records, ...own });
    let recovering = ACTORS.length;
    for (const actor of ACTORS) {
      const host = new ActorHost(this, actor);
      this.#hosts.push(host);
      const shell = this.#shellOf(actor, host);
      this.#shells.set(actor, shell);
      shell.start(() => {
        if (--recovering === 0) this.#started();
      });
    }
  }

  #shellOf(actor: ProtocolActor, host: Host): AnyShell {
    const { Shell: EngineShell } = this.setup.engine;
    const machine = (this.machines as NodeMachines)[actor];
    // Each shell is given only its own actor's messages: ROUTES and the type of `tell` see to that.
    return new EngineShell(machine as never, host);
  }

  #started(): void {
    this.up = true;
    for (const observer of this.setup.observers) observer.started?.(this);
    this.setup.network.refreshAll(this.instance, 5);
  }

  /** Power off: volatile state, timers and connections are gone, of the log only the unsynced tail. */
  crash(): void {
    if (!this.running) return;
    this.note('crash', this.incarnation);
    this.running = false;
    this.up = false;
    for (const shell of this.#shells.values()) shell.kill();
    for (const host of this.#hosts) host.close();
    this.#shells.clear();
    this.#hosts = [];
    this.#connected.clear();
    this.log.crash(this.setup.random);
    this.snapshots.crash();
    if (this.faulty && this.setup.random.chance(SPOILED)) {
      this.snapshots.spoil(this.setup.random);
    }
    this.setup.network.drop(this.instance);
    for (const observer of this.setup.observers) observer.crashed?.(this);
  }

  crashFor(ms: number): void {
    if (!this.running) return;
    this.crash();
    const { incarnation } = this;
    this.setup.scheduler.after(ms * 1000, () => {
      if (!this.running && this.incarnation === incarnation) this.start();
    });
  }

  /** As SIGSTOP does: nothing happens in the node until then, and then everything at once. */
  pauseFor(ms: number): void {
    this.note('pause', ms);
    this.pauses++;
    this.pausedAtUs = this.setup.scheduler.now;
    this.#pausedUntil = this.setup.scheduler.now + ms * 1000;
    this.setup.scheduler.at(this.#pausedUntil, () => this.#goOn());
  }

  #goOn(): void {
    const { scheduler } = this.setup;
    if (scheduler.now < this.#pausedUntil) return;
    for (const run of this.#held.splice(0)) scheduler.after(0, run);
  }

  /** Runs `task` later on this node, unless it was restarted by then. */
  later(delayUs: number, task: () => void): void {
    const { scheduler } = this.setup;
    const { incarnation } = this;
    const run = (): void => {
      if (!this.running || this.incarnation !== incarnation) return;
      if (scheduler.now < this.#pausedUntil) this.#held.push(run);
      else task();
    };
    scheduler.after(delayUs, run);
  }

  receive(from: number, message: PeerMessage, body: Uint8Array | undefined): void {
    if (!this.up) return;
    this.note(message.kind, from);
    this.setup.heard(from, message, body);
    for (const observer of this.setup.observers) observer.heard?.(this, from, message);
    const input: CommonInput =
      body === undefined
        ? { kind: 'peerMessage', from, message }
        : { kind: 'peerMessage', from, message, body };
    this.later(0, () => this.deliver(ROUTES[message.kind].actor, input));
  }

  get isAlone(): boolean {
    return this.#connected.size + 1 < this.setup.cluster.quorum;
  }

  linkChanged(peer: number, connected: boolean): void {
    this.note(connected ? 'connected' : 'disconnected', peer);
    if (this.isAlone) this.aloneAtUs = this.setup.scheduler.now;
    if (connected) this.#connected.add(peer);
    else this.#connected.delete(peer);
    if (connected) for (const observer of this.setup.observers) observer.connected?.(this, peer);
    const kind = connected ? 'peerConnected' : 'peerDisconnected';
    this.later(0, () => {
      for (const actor of ACTORS) this.deliver(actor, { kind, peer });
    });
  }

  deliver(actor: ProtocolActor, input: CommonInput | LocalMessage): void {
    this.#shells.get(actor)?.deliver(input);
  }

  timerFired(actor: ProtocolActor, timer: string): void {
    this.note(timer, 0);
    this.#shells.get(actor)?.timerFired(timer);
  }

  /** Longest mailbox now. */
  waiting(): number {
    let most = 0;
    for (const shell of this.#shells.values()) most = Math.max(most, shell.waiting);
    return most;
  }

  failed(actor: ProtocolActor, error: Error, expected: boolean): void {
    this.note('failed', ACTORS.indexOf(actor));
    const isLacking = this.lacksUpgrade && 'code' in error && error.code === 'program_missing';
    // Whoever runs it reads why it stopped, and gives it the file.
    if (isLacking) this.lacksUpgrade = false;
    for (const observer of this.setup.observers) {
      observer.failed?.(this, actor, error, expected || isLacking);
    }
    // Each time in a row it takes longer, as under a supervisor that backs off.
    const backoffMs = Math.min(20 * 2 ** this.#failures++, 2_000);
    this.crashFor(this.setup.random.between(backoffMs, 2 * backoffMs));
  }

  note(label: string, a = 0, b = 0): void {
    const { trace, scheduler } = this.setup;
    trace.note(scheduler.now, this.instance, label, a, b);
    trace.say(scheduler.now, this.instance, () => `${label} ${a}${b === 0 ? '' : ` ${b}`}`);
  }
}
