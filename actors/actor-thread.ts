/**
 * A worker thread's actors and its links to the other threads. Messages between actors of this
 * thread are passed as they are; everything else crosses in frames (frame.ts) under credits (link.ts).
 *
 * I15. A received frame is acknowledged only when every actor took all inputs that it brought, so a
 *      stalled actor stops its senders within one window instead of growing its mailbox.
 * I16. When one actor of the thread fails, none of the thread's actors runs on.
 */
import { InvariantViolation } from '../protocols/machine.ts';
import { ROUTES, type ActorName, type LocalMessage, type PeerMessage, type ProtocolActor } from '../protocols/messages.ts';
import type { ActorStatuses } from '../protocols/status.ts';
import type { ValidatorIndex } from '../protocols/types.ts';
import { packMessage, unpackMessage } from '../protocols/wire.ts';
import { Actor, type ActorLog, type AnyMachine, type Surroundings } from './actor.ts';
import { unpackItems, type CrossingFrame } from './frame.ts';
import { Link, type FramePort } from './link.ts';
import { RunQueue } from './run-queue.ts';
import type { Item, ThreadReport } from './traffic.ts';

const STATUS_MS = 25;
const LOAD_MS = 1_000;

/** A message port to another thread: frames one way, acknowledgements the other. */
export interface CrossingPort extends FramePort {
  onFrame(take: (frame: CrossingFrame) => void): void;
  onAcknowledged(take: (frames: number) => void): void;
  /** One frame more was taken; told to the sender soon, many at once. */
  acknowledge(): void;
}

export interface ActorSpec {
  readonly name: ProtocolActor;
  readonly machine: AnyMachine;
  readonly log: ActorLog;
}

export interface ActorThreadOptions {
  /** Name of this thread in metrics. */
  readonly name: string;
  readonly actors: readonly ActorSpec[];
  /** Which port leads to which actor elsewhere; `edge` leads to the main thread. */
  readonly ports: ReadonlyMap<ActorName, CrossingPort>;
  /** After the last actor stopped cleanly. */
  readonly onStopped: () => void;
}

interface Unacknowledged {
  readonly port: CrossingPort;
  /** For each actor: how many inputs must be taken before the frame is done. */
  readonly marks: readonly number[];
}

export class ActorThread {
  readonly #options: ActorThreadOptions;
  readonly #actors = new Map<ProtocolActor, Actor>();
  readonly #list: readonly Actor[];
  readonly #links = new Map<CrossingPort, Link>();
  readonly #queue = new RunQueue();
  readonly #timers: NodeJS.Timeout[] = [];
  #unacknowledged: Unacknowledged[] = [];
  #lastStatus = '';
  #lagMs = 0;
  #crossingMs = 0;
  #recovered = 0;
  #isOver = false;

  constructor(options: ActorThreadOptions) {
    this.#options = options;
    for (const { name, machine, log } of options.actors) {
      this.#actors.set(name, new Actor(name, machine, log, this.#surroundings()));
    }
    this.#list = [...this.#actors.values()];
  }

  /** Takes frames from now on. */
  begin(): void {
    for (const port of new Set(this.#options.ports.values())) this.#connect(port);
    this.#watch();
  }

  #connect(port: CrossingPort): void {
    const link = new Link(port, { later: (flush) => this.#queue.atEnd(flush) });
    this.#links.set(port, link);
    port.onAcknowledged((frames) => link.acknowledged(frames));
    port.onFrame((frame) => this.#frameReceived(port, frame));
  }

  #surroundings(): Surroundings {
    return {
      soon: (task) =>
        this.#queue.add(() => {
          if (!this.#isOver) task();
          this.#acknowledgeTaken();
        }),
      tell: (to, message) => this.#tell(to, message),
      sendPeer: (to, message, body) => this.#sendPeer(to, message, body),
      peerFault: (peer, code, detail) => this.#toEdge({ kind: 'fault', peer, code, detail }),
      failed: (actor, error) => this.#failed(actor, error),
    };
  }

  #tell(to: ActorName, message: LocalMessage): void {
    const here = to === 'edge' ? undefined : this.#actors.get(to);
    if (here !== undefined) return here.deliver(message);
    this.#linkTo(to).send({ kind: 'local', to, message });
  }

  #sendPeer(to: ValidatorIndex | null, message: PeerMessage, body?: Uint8Array): void {
    const envelope = packMessage(message);
    const peerClass = ROUTES[message.kind].class;
    const item: Item = { kind: 'peerOut', to, peerClass, envelope };
    this.#toEdge(body === undefined ? item : { ...item, body });
  }

  #linkTo(actor: ActorName): Link {
    const port = this.#options.ports.get(actor);
    const link = port === undefined ? undefined : this.#links.get(port);
    if (link === undefined) throw new InvariantViolation('no_link', `no way to ${actor} from here`);
    return link;
  }

  #toEdge(item: Item): void {
    this.#linkTo('edge').send(item);
  }

  #report(report: ThreadReport): void {
    this.#toEdge({ kind: 'report', report });
  }

  #frameReceived(port: CrossingPort, frame: CrossingFrame): void {
    if (this.#isOver) return;
    this.#crossingMs = performance.timeOrigin + performance.now() - frame.sentAt;
    for (const item of unpackItems(frame)) this.#take(item);
    this.#unacknowledged.push({ port, marks: this.#list.map(({ delivered }) => delivered) });
    this.#acknowledgeTaken();
  }

  #acknowledgeTaken(): void {
    while (this.#unacknowledged.length > 0) {
      const { port, marks } = this.#unacknowledged[0]!;
      const isTaken = this.#list.every(({ shell }, at) => shell.stats.inputs >= marks[at]!);
      if (!isTaken) return;
      this.#unacknowledged.shift();
      port.acknowledge();
    }
  }

  #take(item: Item): void {
    switch (item.kind) {
      case 'local':
        return this.#tell(item.to, item.message);
      case 'peerIn':
        return this.#peerIn(item);
      case 'peerLink': {
        const kind = item.up ? 'peerConnected' : 'peerDisconnected';
        for (const actor of this.#list) actor.deliver({ kind, peer: item.peer });
        return;
      }
      case 'command':
        return this.#command(item.command);
      default:
        throw new InvariantViolation('misrouted', `${item.kind} is not for an actor thread`);
    }
  }

  #peerIn({ from, to, envelope, body }: Extract<Item, { kind: 'peerIn' }>): void {
    const decoded = unpackMessage(envelope);
    if (!decoded.ok) {
      return this.#toEdge({ kind: 'fault', peer: from, code: 'malformed', detail: decoded.error });
    }
    const actor = this.#actors.get(ROUTES[decoded.value.kind].actor);
    if (actor === undefined) {
      return this.#toEdge({ kind: 'fault', peer: from, code: 'misrouted', detail: `for ${to}` });
    }
    const input = { kind: 'peerMessage', from, message: decoded.value } as const;
    actor.deliver(body === undefined ? input : { ...input, body });
  }

  #command(command: 'start' | 'drain' | 'stop'): void {
    switch (command) {
      case 'start':
        for (const { shell } of this.#list) shell.start(() => this.#actorRecovered());
        return;
      case 'drain':
        for (const actor of this.#list) actor.deliver({ kind: 'drain' });
        return;
      case 'stop':
        return this.#stop();
    }
  }

  #actorRecovered(): void {
    this.#recovered++;
    if (this.#recovered === this.#list.length) this.#report({ kind: 'recovered' });
  }

  /** Each actor ends once nothing waits for it and all it said is durable. */
  #stop(): void {
    let running = this.#list.length;
    for (const { shell } of this.#list) {
      shell.stop(() => {
        running--;
        if (running === 0) this.#stopped();
      });
    }
  }

  #stopped(): void {
    this.#end();
    this.#report({ kind: 'stopped' });
    for (const link of this.#links.values()) link.flush();
    this.#options.onStopped();
  }

  #failed(name: ProtocolActor, error: Error): void {
    this.#end();
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
    const { message, stack = '' } = error;
    this.#report({ kind: 'failed', actor: name, code, message, stack });
  }

  #end(): void {
    this.#isOver = true;
    for (const actor of this.#list) actor.kill();
    for (const timer of this.#timers) clearInterval(timer);
  }

  #watch(): void {
    this.#timers.push(setInterval(() => this.#publishStatus(), STATUS_MS));
    let expectedAt = performance.now() + LOAD_MS;
    const load = setInterval(() => {
      this.#lagMs = Math.max(0, performance.now() - expectedAt);
      expectedAt = performance.now() + LOAD_MS;
      const actors = this.#list.map((actor) => actor.load());
      const { name } = this.#options;
      this.#report({ kind: 'load', thread: name, actors, lagMs: this.#lagMs, crossingMs: this.#crossingMs });
    }, LOAD_MS);
    this.#timers.push(load);
  }

  #publishStatus(): void {
    const statuses = Object.fromEntries(
      this.#list.map(({ name, machine }) => [name, machine.status()]),
    ) as Partial<ActorStatuses>;
    const text = JSON.stringify(statuses);
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#report({ kind: 'status', statuses });
  }
}
