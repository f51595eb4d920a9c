/**
 * One honest validator: the real consensus and voting machines with the log behind them.
 *
 * The two answer each other at once. A message between them says only what is signed (or what consensus
 * will refuse as old), so an execution in which it comes late is one in which the peers' messages do.
 * Replication is a promise: what is asked of it is answered when the explorer says so (`holdCut`).
 */
import type { LogEvent, Output } from '../../protocols/machine.ts';
import type {
  ConsensusInput,
  Effect,
  LocalMessage,
  PeerMessage,
  VotingInput,
} from '../../protocols/messages.ts';
import { ROUTES } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';
import { NOW } from './blocks.ts';
import { EVERYONE } from './bounds.ts';
import { deepCopy } from './copy.ts';
import type { Engine } from './engine.ts';
import { freeze, type Forge } from './forge.ts';

type Turn =
  | { readonly to: 'consensus'; readonly input: ConsensusInput }
  | { readonly to: 'voting'; readonly input: VotingInput };

type Machines = [InstanceType<Engine['ConsensusMachine']>, InstanceType<Engine['VotingMachine']>];

interface Logged {
  readonly event: LogEvent;
  /** Whether it may be lost with the writes that nothing waits for. */
  readonly deferred: boolean;
}

/** What a crash leaves of writes that nothing waits for. */
export type Kept = 'all' | 'least';

/** With both at zero all that is due is late, and all that may be proposed is proposed at once. */
const TIMING = { electionTimeoutMs: 0, heartbeatMs: 0 };

export class Validator {
  readonly self: number;
  readonly #engine: Engine;
  readonly #forge: Forge;
  consensus: InstanceType<Engine['ConsensusMachine']>;
  voting: InstanceType<Engine['VotingMachine']>;
  log: Logged[] = [];
  /** All that it ever sent, in order. */
  sent: PeerMessage[] = [];
  /** All blocks that it ever called final, in order. */
  told: Digest[] = [];
  asked = new Set<Digest>();
  /** The timer that says that the entry of the newest term is durable. */
  entered: string | null = null;
  crashes = 0;
  /** The next write is lost, with the machine. */
  #loses = false;
  #isDown = false;

  constructor(engine: Engine, forge: Forge, self: number, machines?: Machines) {
    this.self = self;
    this.#engine = engine;
    this.#forge = forge;
    [this.consensus, this.voting] = machines ?? this.#recovered();
  }

  #recovered(): Machines {
    const { cluster, crypto, signers } = this.#forge;
    const { self } = this;
    const signer = signers[self]!;
    const common = { cluster, self, crypto };
    const options = { ...common, signer, timing: TIMING };
    const consensus = new this.#engine.ConsensusMachine(options);
    const voting = new this.#engine.VotingMachine(common);
    for (const machine of [consensus, voting]) {
      for (let read = machine.nextRecovery(); read !== null; read = machine.nextRecovery()) {
        if ('snapshotUpTo' in read) throw new Error('these machines read no snapshots');
        const { stream, from } = read;
        const events = this.log.map(({ event }) => event).filter((each) => each.stream === stream);
        for (const event of from === 'last' ? events.slice(-1) : events) machine.recover(event);
      }
    }
    return [consensus, voting];
  }

  copy(): Validator {
    const { self, asked, entered, crashes, consensus, voting } = this;
    const machines = deepCopy<Machines>([consensus, voting], this.#forge.shared);
    const made = new Validator(this.#engine, this.#forge, self, machines);
    made.log = [...this.log];
    made.sent = [...this.sent];
    made.told = [...this.told];
    made.asked = new Set(asked);
    return Object.assign(made, { entered, crashes });
  }

  start(): void {
    this.#run({ to: 'consensus', input: { kind: 'started' } });
    this.#run({ to: 'voting', input: { kind: 'started' } });
    for (const peer of EVERYONE) {
      if (peer !== this.self)
        this.#run({ to: 'consensus', input: { kind: 'peerConnected', peer } });
    }
  }

  hear(from: number, message: PeerMessage): void {
    const input = { kind: 'peerMessage', from, message } as const;
    const { actor } = ROUTES[message.kind];
    if (actor === 'consensus' || actor === 'voting') this.#run({ to: actor, input });
  }

  timer(timer: string): void {
    this.#run({ to: 'consensus', input: { kind: 'timer', timer } });
  }

  fireEntered(): void {
    if (this.entered !== null) this.timer(this.entered);
    this.entered = null;
  }

  /** Replication's answer, if it was asked. */
  hold(block: Digest): void {
    if (this.asked.has(block)) this.#run({ to: 'consensus', input: { kind: 'cutHeld', block } });
  }

  /** Loses all that is not in the log, and begins again. */
  crash(kept: Kept): void {
    const end = kept === 'all' ? this.log.length : this.log.findLastIndex((e) => !e.deferred) + 1;
    this.log = this.log.slice(0, end);
    this.#restart();
  }

  /** Runs `act`, but power fails before the first write of it is durable. */
  losing(act: () => void): void {
    this.#loses = true;
    act();
    this.#loses = false;
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#restart();
  }

  #restart(): void {
    this.crashes++;
    this.asked.clear();
    this.entered = null;
    [this.consensus, this.voting] = this.#recovered();
    this.start();
  }

  /**
   * Until neither of the machines has anything to say to the other. After a crash it is a little later, so
   * that what would be proposed again is another block.
   */
  #run(first: Turn): void {
    const turns = [first];
    for (let turn = turns.shift(); turn !== undefined && !this.#isDown; turn = turns.shift()) {
      const output: Output<Effect> =
        turn.to === 'consensus'
          ? this.consensus.step(turn.input, NOW + this.crashes)
          : this.voting.step(turn.input);
      turns.push(...this.#settle(output));
    }
  }

  #settle({ events, deferred, effects, immediate }: Output<Effect>): Turn[] {
    freeze([events, deferred, effects, immediate]);
    if (this.#loses && events.length > 0) {
      this.#isDown = true;
      immediate.forEach((effect) => this.#send(effect));
      return [];
    }
    for (const event of deferred) this.log.push({ event, deferred: true });
    for (const event of events) this.log.push({ event, deferred: false });
    return [...immediate, ...effects].flatMap((effect) => this.#effect(effect));
  }

  #effect(effect: Effect): Turn[] {
    if (effect.kind === 'tell') return this.#tell(effect.message, effect.to);
    this.#send(effect);
    if (effect.kind === 'setTimer' && effect.timer.startsWith('entered/')) {
      this.entered = effect.timer;
    }
    return [];
  }

  #send(effect: Effect): void {
    if (effect.kind === 'send' || effect.kind === 'broadcast') this.sent.push(effect.message);
  }

  #tell(message: LocalMessage, to: string): Turn[] {
    if (to === 'consensus') return [{ to, input: message as ConsensusInput }];
    if (to === 'voting') return [{ to, input: message as VotingInput }];
    if (message.kind === 'holdCut') this.asked.add(message.block);
    if (message.kind === 'finalised') this.told.push(message.digest);
    return [];
  }
}
