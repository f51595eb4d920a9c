/**
 * One run: a cluster of simulated nodes, its clients, its weather and its checkers, from a profile.
 * Everything is derived from the profile's seed; nothing is read from the machine that runs it.
 */
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import { utf8 } from '../../protocols/bytes.ts';
import type { EdgeMessage, PeerMessage } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { Adversary } from './byzantine/adversary.ts';
import { makeBehaviour } from './byzantine/behaviours.ts';
import { Knowledge } from './byzantine/knowledge.ts';
import { makeCheckers, type Checkers } from './checkers/checkers.ts';
import { Clients } from './clients.ts';
import { History } from './history/history.ts';
import { makeCluster } from './cluster.ts';
import { SkewedClock, START_MS } from './clock.ts';
import type { Engine } from './engine.ts';
import { realSigner } from './real-signer.ts';
import { fastCrypto, fastSigner } from './fast-crypto.ts';
import { Weather } from './faults.ts';
import { Network, type Packet } from './network.ts';
import { SimNode } from './node.ts';
import type { Observer, Violation } from './observer.ts';
import type { Profile } from './profile.ts';
import { Random } from '../../bench/random.ts';
import { Scheduler } from './scheduler.ts';
import { keepingOf, snapshotCoverage } from './snapshots.ts';
import { Trace } from './trace.ts';
import { accountsOf, genesisModules } from './workload.ts';

/** Virtual milliseconds after the last fault within which everything must be done. */
const HEALED_MS_MAX = 90_000;
/** A run that takes more steps than this is going round in circles. */
const STEPS_PER_VALIDATOR_MAX = 40_000;
const STEPS_PER_SUBMISSION_MAX = 2_000;
const ADVERSARY_TICK_MS = 7;
/** Short, so that a run needs little virtual time. */
const ELECTION_TIMEOUT_MS = 300;

export interface WorldOptions {
  readonly print?: (line: string) => void;
  /** Called before the clock starts, so that a scenario can arrange its own faults. */
  readonly arrange?: (world: World) => void;
  /** Whether a complaint of this checker ends the run: any does, unless more than f are faulty. */
  readonly counts?: (checker: string) => boolean;
}

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly traceHash: string;
  readonly steps: number;
  readonly virtualMs: number;
  readonly finalHeight: number;
  readonly coverage: Readonly<Record<string, number>>;
}

export class World {
  readonly profile: Profile;
  readonly engine: Engine;
  readonly scheduler = new Scheduler();
  readonly trace: Trace;
  readonly network: Network;
  readonly cluster: Cluster;
  readonly crypto: Crypto;
  readonly nodes: SimNode[] = [];
  readonly honest: SimNode[] = [];
  readonly clients: Clients;
  readonly checkers: Checkers;
  readonly history: History;
  readonly weather: Weather;
  violation: Violation | null = null;
  /** All accounts that the genesis opens. */
  readonly accounts: readonly string[];
  readonly #random: Random;
  readonly #signers: Signer[];
  readonly #adversaries = new Map<SimNode, Adversary>();
  readonly #otherCluster: Digest;
  readonly #counts: (checker: string) => boolean;
  #healedAtUs = Infinity;

  constructor(engine: Engine, profile: Profile, options: WorldOptions = {}) {
    this.engine = engine;
    this.profile = profile;
    this.#counts = options.counts ?? (() => true);
    this.#random = new Random(profile.seed ^ 0x5eed);
    this.trace = new Trace(options.print ?? null);
    this.crypto = profile.realSignatures ? nodeCrypto : fastCrypto;
    const signerOf = profile.realSignatures ? realSigner : fastSigner;
    this.#signers = Array.from({ length: profile.n }, (_, v) => signerOf(`validator-${v}`));
    this.accounts = accountsOf(profile);
    const modules = genesisModules(profile, signerOf);
    this.cluster = makeCluster(this.crypto, this.#signers, { modules, programs: engine.programs });
    this.#otherCluster = this.crypto.hash(utf8('another cluster of the same validators'));
    this.network = new Network(this.scheduler, this.#random.fork(), profile.link);
    const report = (checker: string, detail: string): void => this.report(checker, detail);
    this.history = new History(this, report);
    this.checkers = makeCheckers(this, report);
    this.clients = new Clients(this, this.#random.fork(), signerOf);
    this.#makeNodes();
    this.weather = new Weather(
      profile,
      this.scheduler,
      this.network,
      this.nodes,
      this.#random.fork(),
    );
    options.arrange?.(this);
  }

  /** Whether the validator keeps to the rules. */
  isHonest(validator: number): boolean {
    return !this.profile.byzantine.has(validator);
  }

  /** True time, in milliseconds since the Unix epoch. */
  nowMs(): number {
    return START_MS + Math.floor(this.scheduler.now / 1000);
  }

  report(checker: string, detail: string): void {
    if (!this.#counts(checker)) return;
    this.violation ??= { checker, detail, atMs: Math.floor(this.scheduler.now / 1000) };
  }

  run(): Outcome {
    try {
      this.#play();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.report('crash', text.split('\n').slice(0, 4).join(' | '));
    }
    return this.#outcome();
  }

  #play(): void {
    for (const node of this.nodes) node.start();
    this.weather.start();
    this.clients.start();
    this.checkers.measure();
    const isOver = (): boolean => this.violation !== null || this.#isEndless();
    this.scheduler.run(this.profile.faultsMs * 1000, isOver);
    if (isOver()) return this.#checkSteps();
    this.#healedAtUs = this.scheduler.now;
    this.clients.probe();
    let checkAt = 0;
    const isDone = (): boolean => {
      if (isOver()) return true;
      if (this.scheduler.now < checkAt) return false;
      checkAt = this.scheduler.now + 2_000;
      return this.#hasSettled();
    };
    this.scheduler.run(this.#healedAtUs + HEALED_MS_MAX * 1000, isDone);
    this.#checkSteps();
    if (this.violation === null && !this.#hasSettled())
      this.report('progress', this.#whatIsMissing());
    if (this.violation === null) this.#audit();
  }

  /** Every node answers for every submission whose outcome a client was told, and all agree. */
  #audit(): void {
    // A question that a crash swallows is not asked again.
    for (const node of this.nodes) node.appendHook = null;
    this.clients.audit();
    const isDone = (): boolean => this.violation !== null || this.clients.isAudited();
    this.scheduler.run(this.scheduler.now + 20_000_000, isDone);
    if (this.violation === null && !this.clients.isAudited()) {
      this.report('progress', 'a healthy node does not answer the audit');
    }
    if (this.violation === null) this.history.check(this.clients.wishes);
  }

  #checkSteps(): void {
    if (this.#isEndless())
      this.report('livelock', `${this.scheduler.steps} steps; ${this.#whatIsMissing()}`);
  }

  #isEndless(): boolean {
    const { n, clients, submissionsPerClient } = this.profile;
    const ofSubmissions = clients * submissionsPerClient * STEPS_PER_SUBMISSION_MAX;
    return this.scheduler.steps > (STEPS_PER_VALIDATOR_MAX + ofSubmissions) * n;
  }

  #hasSettled(): boolean {
    if (!this.clients.isDone() || this.honest.some((node) => !node.up)) return false;
    const heights = this.honest.map((node) => this.#executed(node));
    const least = Math.min(...heights);
    const told = this.clients.highestTold();
    const isExecuted = least >= Math.max(...heights) - 2 && least >= told;
    const isCertified = this.honest.every((node) => this.#certified(node) >= told);
    this.checkers.patience.expectCertified(isExecuted, isCertified);
    return isExecuted && isCertified;
  }

  #executed(node: SimNode): number {
    return node.machines?.transaction.status().executedHeight ?? 0;
  }

  #certified(node: SimNode): number {
    return node.machines?.consensus.status().certifiedHeight ?? 0;
  }

  #whatIsMissing(): string {
    const nodes = this.honest.map((node) => {
      const status = node.machines?.consensus.status();
      return `n${node.instance}${node.up ? '' : ' down'} term ${status?.term} ${status?.state} final ${status?.finalHeight} executed ${this.#executed(node)} certified ${status?.certifiedHeight}`;
    });
    return `${HEALED_MS_MAX} ms after the last fault: ${this.clients.missing()}; ${nodes.join('; ')}`;
  }

  #makeNodes(): void {
    const knowledge = new Knowledge((block) =>
      this.engine.structures.blockDigest(this.crypto, this.cluster.id, block),
    );
    for (let validator = 0; validator < this.profile.n; validator++) {
      const behaviours = this.profile.byzantine.get(validator);
      const count = behaviours?.includes('twin') ? 2 : 1;
      for (let twin = 0; twin < count; twin++) {
        const node = this.#makeNode(
          validator,
          behaviours === undefined ? this.checkers.observers : [],
        );
        if (behaviours === undefined) this.honest.push(node);
        else this.#corrupt(node, twin, knowledge, behaviours);
      }
    }
  }

  #makeNode(validator: number, observers: readonly Observer[]): SimNode {
    const { profile, scheduler, network, trace, engine, cluster, crypto } = this;
    const random = this.#random.fork();
    const slow = profile.slow.includes(validator) ? 40 : 1;
    const offset = random.between(-profile.skewMs, profile.skewMs);
    const rate = 1 + (random.float() - 0.5) / 5_000;
    const node = new SimNode({
      engine,
      cluster,
      validator,
      crypto,
      signer: this.#signers[validator] as Signer,
      timing: { electionTimeoutMs: ELECTION_TIMEOUT_MS, heartbeatMs: profile.heartbeatMs },
      scheduler,
      network,
      random,
      clock: new SkewedClock(() => scheduler.now, offset, rate),
      speed: {
        turnUs: 30 * slow,
        syncUs: profile.syncUs * Math.min(slow, 10),
        executeUsPerKib: profile.executeUsPerKib,
        appendErrors: profile.appendErrors,
      },
      lacksUpgrade: profile.lacksUpgrade === validator,
      ...keepingOf(profile),
      observers,
      trace,
      transmit: (from, to, message, body) => this.#transmit(from, to, { message, body }),
      local: (message) => this.#adversaries.get(node)?.local(message) ?? message,
      toClients: (from, message: EdgeMessage) => this.clients.answered(from, message),
      heard: (from, message: PeerMessage, body) =>
        this.#adversaries.get(node)?.heard(from, { message, body }),
    });
    this.nodes.push(node);
    return node;
  }

  #corrupt(
    node: SimNode,
    twin: number,
    knowledge: Knowledge,
    behaviours: readonly Parameters<typeof makeBehaviour>[0][],
  ): void {
    const adversary = new Adversary({
      engine: this.engine,
      cluster: this.cluster,
      validator: node.validator,
      twin,
      crypto: this.crypto,
      signer: this.#signers[node.validator] as Signer,
      random: this.#random.fork(),
      knowledge,
      nowMs: () => this.nowMs(),
      send: (to, packet, delayMs) =>
        this.scheduler.after(delayMs * 1000, () => this.#route(node, to, packet)),
      toOwn: (actor, message) => node.later(0, () => node.deliver(actor, message)),
      signedElsewhere: (validator, bytes) => (this.#signers[validator] as Signer).sign(bytes),
      otherCluster: this.#otherCluster,
    });
    for (const name of behaviours) adversary.add(makeBehaviour(name, adversary));
    this.#adversaries.set(node, adversary);
    this.#tick(node, adversary);
  }

  #tick(node: SimNode, adversary: Adversary): void {
    this.scheduler.after(ADVERSARY_TICK_MS * 1000, () => {
      if (node.up) adversary.tick();
      this.#tick(node, adversary);
    });
  }

  #transmit(from: SimNode, to: number, packet: Packet): void {
    const adversary = this.#adversaries.get(from);
    if (adversary) adversary.transmit(to, packet);
    else this.#route(from, to, packet);
  }

  /** To every instance that runs under the validator's key. */
  #route(from: SimNode, to: number, packet: Packet): void {
    if (!from.running) return;
    const sealed = this.profile.encoded ? this.#encoded(from, packet) : packet;
    if (sealed === null) return;
    for (const node of this.nodes) {
      if (node.validator === to) this.network.send(from.instance, node.instance, sealed);
    }
  }

  /** The packet as it comes out at the other end of a real connection. */
  #encoded(from: SimNode, packet: Packet): Packet | null {
    const { packMessage, unpackMessage } = this.engine.wire;
    const decoded = unpackMessage(packMessage(packet.message));
    if (decoded.ok) return { message: decoded.value, body: packet.body };
    if (this.isHonest(from.validator)) {
      this.report(
        'encoding',
        `n${from.instance} sends a ${packet.message.kind} that nobody can read: ${decoded.error}`,
      );
    }
    return null;
  }

  #outcome(): Outcome {
    const heights = this.honest.map((node) => node.machines?.consensus.status().finalHeight ?? 0);
    return {
      seed: this.profile.seed,
      violation: this.violation,
      traceHash: this.trace.hash(),
      steps: this.scheduler.steps,
      virtualMs: Math.floor(this.scheduler.now / 1000),
      finalHeight: Math.max(0, ...heights),
      coverage: {
        ...this.weather.coverage,
        ...snapshotCoverage(this.nodes),
        ...this.checkers.coverage,
        ...this.clients.coverage,
        ...this.history.coverage,
      },
    };
  }
}
