/** One actor in a worker thread: its shell, and the host that gives it a clock, timers and a log. */
import type { LogEvent, Machine } from '../protocols/machine.ts';
import type {
  ActorName,
  CommonInput,
  Effect,
  LocalMessage,
  PeerMessage,
  ProtocolActor,
} from '../protocols/messages.ts';
import type { ValidatorIndex } from '../protocols/types.ts';
import type { Host, Log, SnapshotStore } from './host.ts';
import type { Receipt } from './mailbox.ts';
import { Shell } from './shell.ts';
import { Timers } from './timers.ts';
import type { ActorLoad } from './traffic.ts';

export type { Log as ActorLog } from './host.ts';

/** What an actor needs of the thread around it. */
export interface Surroundings {
  /** Runs a turn of this actor soon. */
  soon(task: () => void): void;
  tell(to: ActorName, message: LocalMessage): void;
  sendPeer(to: ValidatorIndex | null, message: PeerMessage, body?: Uint8Array): void;
  peerFault(peer: ValidatorIndex, code: string, detail: string): void;
  failed(actor: ProtocolActor, error: Error): void;
  /** This actor has just done something: its status and what waits may have changed. */
  turned(): void;
}

export type AnyMachine = Machine<never, Effect>;

export interface ActorSpec {
  readonly name: ProtocolActor;
  readonly machine: AnyMachine;
  readonly log: Log;
  readonly snapshots: SnapshotStore;
}

type Input = CommonInput | LocalMessage;

export class Actor {
  readonly name: ProtocolActor;
  readonly machine: AnyMachine;
  readonly shell: Shell<Input>;
  readonly #timers = new Timers((timer) => this.shell.timerFired(timer));
  #runMs = 0;
  #appendMs = 0;

  constructor({ name, machine, log, snapshots }: ActorSpec, around: Surroundings) {
    this.name = name;
    this.machine = machine;
    const host = this.#host(log, snapshots, around);
    this.shell = new Shell<Input>(machine as unknown as Machine<Input, Effect>, host);
  }

  /** @param receipt told when a turn takes the input. */
  deliver(input: Input, receipt?: Receipt): void {
    this.shell.deliver(input, receipt);
  }

  /** Ends at once: nothing of this actor runs any more. */
  kill(): void {
    this.shell.kill();
    this.#timers.end();
  }

  load(): ActorLoad {
    const { name, shell } = this;
    const times = { runMs: this.#runMs, appendMs: this.#appendMs };
    return { actor: name, waiting: shell.waiting, ...shell.stats, ...times };
  }

  #host(log: Log, snapshots: SnapshotStore, around: Surroundings): Host {
    return {
      now: () => Date.now(),
      setTimer: (timer, at) => this.#timers.set(timer, at),
      clearTimer: (timer) => this.#timers.clear(timer),
      soon: (task) => around.soon(() => this.#measured(task, around)),
      append: (events, done) => this.#append(log, events, done, around),
      read: (range, done) => log.read(range, done),
      readLast: (stream, done) => log.readLast(stream, done),
      find: (key, done) => log.find(key, done),
      prune: (stream, seq) => log.prune(stream, seq),
      keepSnapshot: (part, done) => snapshots.keepSnapshot(part, done),
      readSnapshot: (upTo, part, done) => snapshots.readSnapshot(upTo, part, done),
      tell: (to, message) => around.tell(to, message),
      send: (to, message, body) => around.sendPeer(to, message, body),
      broadcast: (message, body) => around.sendPeer(null, message, body),
      peerFault: (peer, code, detail) => around.peerFault(peer, code, detail),
      failed: (error) => around.failed(this.name, error),
    };
  }

  #measured(task: () => void, around: Surroundings): void {
    const startedAt = performance.now();
    task();
    this.#runMs += performance.now() - startedAt;
    around.turned();
  }

  #append(
    log: Log,
    events: readonly LogEvent[],
    done: (error?: Error) => void,
    around: Surroundings,
  ): void {
    const since = performance.now();
    log.append(events, (error) => {
      this.#appendMs += performance.now() - since;
      this.#measured(() => done(error), around);
    });
  }
}
