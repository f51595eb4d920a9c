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
import type { Host } from './host.ts';
import { Shell } from './shell.ts';
import type { ActorLoad } from './traffic.ts';

/** The log of one actor (src/log); the four calls are those of Host. */
export type ActorLog = Pick<Host, 'append' | 'read' | 'readLast' | 'find'>;

/** What an actor needs of the thread around it. */
export interface Surroundings {
  /** Runs a turn of this actor soon. */
  soon(task: () => void): void;
  tell(to: ActorName, message: LocalMessage): void;
  sendPeer(to: ValidatorIndex | null, message: PeerMessage, body?: Uint8Array): void;
  peerFault(peer: ValidatorIndex, code: string, detail: string): void;
  failed(actor: ProtocolActor, error: Error): void;
}

export type AnyMachine = Machine<never, Effect>;
type Input = CommonInput | LocalMessage;

export class Actor {
  readonly name: ProtocolActor;
  readonly machine: AnyMachine;
  readonly shell: Shell<Input>;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #runMs = 0;
  /** Inputs delivered so far: what credits are counted against. */
  delivered = 0;

  constructor(name: ProtocolActor, machine: AnyMachine, log: ActorLog, around: Surroundings) {
    this.name = name;
    this.machine = machine;
    const host = this.#host(log, around);
    this.shell = new Shell<Input>(machine as unknown as Machine<Input, Effect>, host);
  }

  deliver(input: Input): void {
    this.delivered++;
    this.shell.deliver(input);
  }

  /** Ends at once: nothing of this actor runs any more. */
  kill(): void {
    this.shell.kill();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  load(): ActorLoad {
    const { turns, inputs, appends, events } = this.shell.stats;
    return { actor: this.name, waiting: this.shell.waiting, turns, inputs, appends, events, runMs: this.#runMs };
  }

  #host(log: ActorLog, around: Surroundings): Host {
    return {
      now: () => Date.now(),
      setTimer: (timer, at) => this.#setTimer(timer, at),
      clearTimer: (timer) => this.#clearTimer(timer),
      soon: (task) => around.soon(() => this.#measured(task)),
      append: (events: readonly LogEvent[], done) => log.append(events, done),
      read: (range, done) => log.read(range, done),
      readLast: (stream, done) => log.readLast(stream, done),
      find: (key, done) => log.find(key, done),
      tell: (to, message) => around.tell(to, message),
      send: (to, message, body) => around.sendPeer(to, message, body),
      broadcast: (message, body) => around.sendPeer(null, message, body),
      peerFault: (peer, code, detail) => around.peerFault(peer, code, detail),
      failed: (error) => around.failed(this.name, error),
    };
  }

  #measured(task: () => void): void {
    const startedAt = performance.now();
    task();
    this.#runMs += performance.now() - startedAt;
  }

  #setTimer(timer: string, at: number): void {
    clearTimeout(this.#timers.get(timer));
    const fire = (): void => {
      this.#timers.delete(timer);
      this.shell.timerFired(timer);
    };
    this.#timers.set(timer, setTimeout(fire, Math.max(0, at - Date.now())));
  }

  #clearTimer(timer: string): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
  }
}
