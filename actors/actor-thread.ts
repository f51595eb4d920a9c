/**
 * A worker thread's actors and its links to the other threads. Messages between actors of this
 * thread are passed as they are; everything else crosses in frames (frame.ts) under credits (link.ts).
 *
 * I15. A received frame is acknowledged only when every actor took all inputs that it brought, so a
 *      stalled actor stops its senders within one window instead of growing its mailbox.
 * I16. When one actor of the thread fails, none of the thread's actors runs on.
 * I23. While a receiver is so far behind that much waits for it here, the thread's actors take
 *      nothing from peers and clients: what they say is bounded by what they take. What actors tell
 *      each other is always taken, so two of them can never wait for each other.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Decoded } from '../protocols/codec.ts';
import { InvariantViolation } from '../protocols/machine.ts';
import {
  ROUTES,
  type ActorName,
  type CommonInput,
  type LocalMessage,
  type PeerMessage,
  type ProtocolActor,
} from '../protocols/messages.ts';
import type { ActorStatuses } from '../protocols/status.ts';
import type { ValidatorIndex } from '../protocols/types.ts';
import { packMessage, unpackMessage } from '../protocols/wire.ts';
import { Actor, type ActorSpec, type Surroundings } from './actor.ts';
import { sharedClock, unpackItems, type CrossingFrame } from './frame.ts';
import { FramesTaken, type FrameReceipt } from './frames-taken.ts';
import { Link, type FramePort } from './link.ts';
import { RunQueue } from './run-queue.ts';
import type { Item, ThreadLoad, ThreadReport } from './traffic.ts';

type PeerIn = Extract<Item, { kind: 'peerIn' }>;

const STATUS_MS = 50;
const LOAD_MS = 1_000;
const LAG_RESOLUTION_MS = 10;
/** What may wait for another thread, or inside one actor's mailbox, before the outside is held. */
const HELD_FROM = { items: 2048, bytes: 16 * 1024 * 1024 };

/** A message port to another thread: frames one way, acknowledgements the other. */
export interface CrossingPort extends FramePort {
  onFrame(take: (frame: CrossingFrame) => void): void;
  onAcknowledged(take: (frames: number) => void): void;
  /** One frame more was taken; told to the sender soon, many at once. */
  acknowledge(): void;
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

export class ActorThread {
  readonly #options: ActorThreadOptions;
  readonly #actors = new Map<ProtocolActor, Actor>();
  readonly #list: readonly Actor[];
  readonly #links = new Map<CrossingPort, Link>();
  readonly #linkList: Link[] = [];
  readonly #queue = new RunQueue();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #lastStatus = '';
  #hasTurned = true;
  #outsideHeld = false;
  #crossingMs = 0;
  #recovered = 0;
  #isOver = false;
  #whenSent: (() => void) | null = null;

  constructor(options: ActorThreadOptions) {
    this.#options = options;
    for (const spec of options.actors) {
      this.#actors.set(spec.name, new Actor(spec, this.#surroundings()));
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
    this.#linkList.push(link);
    port.onAcknowledged((frames) => {
      link.acknowledged(frames);
      this.#weigh();
      if (this.#whenSent !== null) this.#endIfSent();
    });
    const taken = new FramesTaken(() => port.acknowledge());
    port.onFrame((frame) => this.#frameReceived(frame, taken.arrived()));
  }

  #surroundings(): Surroundings {
    return {
      soon: (task) =>
        this.#queue.add(() => {
          if (!this.#isOver) task();
        }),
      tell: (to, message) => this.#tell(to, message),
      sendPeer: (to, message, body) => this.#sendPeer(to, message, body),
      peerFault: (peer, code, detail) => this.#toEdge({ kind: 'fault', peer, code, detail }),
      failed: (actor, error) => this.#failed(actor, error),
      turned: () => {
        this.#hasTurned = true;
        this.#weigh();
      },
    };
  }

  #tell(to: ActorName, message: LocalMessage): void {
    const here = to === 'edge' ? undefined : this.#actors.get(to);
    if (here !== undefined) return here.deliver(message);
    this.#linkTo(to).send({ kind: 'local', to, message });
  }

  /** Holds the outside while somebody is behind, and lets it in again well before nothing waits. */
  #weigh(): void {
    const share = this.#outsideHeld ? 0.25 : 1;
    const items = HELD_FROM.items * share;
    const bytes = HELD_FROM.bytes * share;
    const isBehind =
      this.#list.some(({ shell }) => shell.waitingInside > items) ||
      this.#linkList.some((link) => link.waiting > items || link.waitingBytes > bytes);
    if (isBehind === this.#outsideHeld) return;
    this.#outsideHeld = isBehind;
    for (const { shell } of this.#list) shell.holdOutside(isBehind);
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

  #frameReceived(frame: CrossingFrame, receipt: FrameReceipt): void {
    if (this.#isOver) return;
    this.#crossingMs = Math.max(this.#crossingMs, sharedClock() - frame.sentAt);
    for (const item of unpackItems(frame)) this.#take(item, receipt);
    receipt.taken();
  }

  #take(item: Item, receipt: FrameReceipt): void {
    switch (item.kind) {
      case 'local':
        return this.#deliver(item.to, item.message, receipt);
      case 'peerIn':
        return this.#peerIn(item, receipt);
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

  #deliver(to: ActorName, input: CommonInput | LocalMessage, receipt: FrameReceipt): void {
    const actor = to === 'edge' ? undefined : this.#actors.get(to);
    if (actor === undefined)
      throw new InvariantViolation('misrouted', `${to} is not in this thread`);
    receipt.expected();
    actor.deliver(input, receipt);
  }

  #peerIn({ from, envelope, body }: PeerIn, receipt: FrameReceipt): void {
    const decoded = decode(envelope);
    if (!decoded.ok) {
      const { code = 'malformed', error } = decoded;
      return this.#toEdge({ kind: 'fault', peer: from, code, detail: error });
    }
    const { value: message } = decoded;
    const input = { kind: 'peerMessage', from, message } as const;
    const { actor } = ROUTES[message.kind];
    if (!this.#actors.has(actor)) {
      const detail = `${message.kind} in an unusual encoding`;
      return this.#toEdge({ kind: 'fault', peer: from, code: 'malformed', detail });
    }
    this.#deliver(actor, body === undefined ? input : { ...input, body }, receipt);
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
    if (this.#recovered < this.#list.length) return;
    this.#publishStatus();
    this.#publishLoad();
    this.#report({ kind: 'recovered' });
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

  /** Nothing runs any more; what was said leaves as credit comes in. */
  #stopped(): void {
    this.#end();
    this.#report({ kind: 'stopped' });
    this.#whenSent = this.#options.onStopped;
    this.#endIfSent();
  }

  #endIfSent(): void {
    for (const link of this.#linkList) link.flush();
    if (this.#linkTo('edge').waiting > 0) return;
    this.#whenSent?.();
    this.#whenSent = null;
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
    this.#lag.disable();
  }

  #watch(): void {
    this.#lag.enable();
    this.#timers.push(
      setInterval(() => this.#publishStatus(), STATUS_MS),
      setInterval(() => this.#publishLoad(), LOAD_MS),
    );
  }

  #publishLoad(): void {
    const load: ThreadLoad = {
      thread: this.#options.name,
      actors: this.#list.map((actor) => actor.load()),
      lagMs: Math.max(0, this.#lag.max / 1e6 - LAG_RESOLUTION_MS),
      crossingMs: this.#crossingMs,
      resendLater: this.#linkList.reduce((sum, link) => sum + link.resendLater, 0),
      outsideHeld: this.#outsideHeld,
    };
    this.#lag.reset();
    this.#crossingMs = 0;
    this.#report({ kind: 'load', load });
  }

  #publishStatus(): void {
    if (!this.#hasTurned) return;
    this.#hasTurned = false;
    const statuses = Object.fromEntries(
      this.#list.map(({ name, machine }) => [name, machine.status()]),
    ) as Partial<ActorStatuses>;
    const text = JSON.stringify(statuses);
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#report({ kind: 'status', statuses });
  }
}

type Decoding = Decoded<PeerMessage> & { readonly code?: string };

/**
 * Decoding reads one peer's bytes and changes nothing. Should it throw against its promise (I97), that
 * is our bug, but only this message is lost by it: the peer is charged under a code that nothing else
 * has, with the stack. If the actor died of it instead, whoever found the bug could stop every node.
 */
function decode(envelope: Uint8Array): Decoding {
  try {
    return unpackMessage(envelope);
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    return { ok: false, error: stack ?? String(error), code: 'decoder_failed' };
  }
}
