/** The simulator's side of `Host` for one actor of one incarnation of a node. */
import type { Host, KeptSnapshot, SnapshotPart } from '../../actors/host.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type {
  ActorName,
  LocalMessage,
  PeerMessage,
  ProtocolActor,
} from '../../protocols/messages.ts';
import type { SimNode } from './node.ts';
import { LogMisuse } from './storage.ts';

const READ_US = 80;
const TELL_US = 15;

export class AppendRefused extends Error {
  override readonly name = 'AppendRefused';
}

export class ActorHost implements Host {
  readonly #node: SimNode;
  readonly #actor: ProtocolActor;
  readonly #timers = new Map<string, object>();
  /** When the last message to each actor arrives: messages of one sender keep their order. */
  readonly #lastTold = new Map<ActorName, number>();
  #closed = false;

  constructor(node: SimNode, actor: ProtocolActor) {
    this.#node = node;
    this.#actor = actor;
  }

  close(): void {
    this.#closed = true;
  }

  now(): number {
    return this.#node.setup.clock.nowMs();
  }

  /** As actors/timers.ts: what its delay is now decides, whatever is done to the clock meanwhile. */
  setTimer(timer: string, at: number): void {
    const token = {};
    this.#timers.set(timer, token);
    this.#node.later(this.#node.setup.clock.delayUs(at), () => {
      if (this.#timers.get(timer) !== token) return;
      this.#timers.delete(timer);
      this.#node.timerFired(this.#actor, timer);
    });
  }

  clearTimer(timer: string): void {
    this.#timers.delete(timer);
  }

  soon(task: () => void): void {
    this.#node.later(this.#random(this.#node.setup.speed.turnUs), task);
  }

  append(events: readonly LogEvent[], done: (error?: Error) => void): void {
    const { log, setup } = this.#node;
    const { syncUs, appendErrors } = setup.speed;
    const number = ++this.#node.appends;
    const pending = log.issue(this.#actor, events);
    this.#node.appendHook?.(number, 'issued');
    this.#node.later(this.#random(syncUs / 4), () => {
      if (this.#node.faulty && setup.random.chance(appendErrors)) {
        log.refuse(this.#actor, pending);
        return done(new AppendRefused('the simulator refused this append'));
      }
      log.write(pending);
      this.#node.appendHook?.(number, 'written');
      this.#node.later(this.#random(syncUs), () => {
        if (!this.#sync(() => log.sync(this.#actor, pending))) return;
        this.#node.appendHook?.(number, 'synced');
        this.#node.later(this.#random(TELL_US), () => done());
      });
    });
  }

  #sync(store: () => void): boolean {
    try {
      store();
      return true;
    } catch (error) {
      if (!(error instanceof LogMisuse)) throw error;
      this.failed(error);
      return false;
    }
  }

  read(
    range: { stream: string; from: number; to: number; bytesMax: number; bodies: boolean },
    done: (error: Error | null, events: readonly LogEvent[]) => void,
  ): void {
    this.#node.later(this.#random(READ_US), () => {
      const events = this.#node.log.read(range.stream, range.from, range.to, range.bytesMax);
      done(null, range.bodies ? events : events.map(withoutBody));
    });
  }

  readLast(stream: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    this.#node.later(this.#random(READ_US), () => {
      // A machine's thread looks at it whenever it likes, also while it recovers.
      this.#node.machines?.[this.#actor].status();
      done(null, this.#node.log.last(stream));
    });
  }

  find(key: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    this.#node.later(this.#random(READ_US), () => done(null, this.#node.log.find(key)));
  }

  prune(stream: string, seq: number): void {
    this.#node.log.prune(stream, seq);
  }

  keepSnapshot(part: SnapshotPart, done: (error?: Error) => void): void {
    const { setup, snapshots } = this.#node;
    this.#node.later(this.#random(setup.speed.syncUs), () => {
      if (this.#node.faulty && setup.random.chance(setup.speed.appendErrors)) {
        return done(new Error('the simulator refused this part of a snapshot'));
      }
      snapshots.keep(part);
      done();
    });
  }

  readSnapshot(
    upTo: number,
    part: (bytes: Uint8Array) => void,
    done: (error: Error | null, found: KeptSnapshot | null) => void,
  ): void {
    this.#node.later(this.#random(READ_US), () => {
      const found = this.#node.snapshots.newest(upTo);
      for (const each of found?.parts ?? []) part(each);
      done(null, found);
    });
  }

  tell(to: ActorName, message: LocalMessage): void {
    const { setup } = this.#node;
    for (const observer of setup.observers) observer.told?.(this.#node, this.#actor, to, message);
    const { now } = setup.scheduler;
    const before = (this.#lastTold.get(to) ?? 0) + 1;
    const arrival = Math.max(now + this.#random(TELL_US), before) + this.#executionUs(message);
    this.#lastTold.set(to, arrival);
    const said = setup.local(message);
    this.#node.later(arrival - now, () => {
      if (to === 'edge') setup.toClients(this.#node, said as never);
      else this.#node.deliver(to, said);
    });
  }

  /** A block reaches execution when it is executed: in the machine's own turn that takes no time. */
  #executionUs(message: LocalMessage): number {
    if (message.kind !== 'execute') return 0;
    const bytes = message.batches.reduce((sum, { payload }) => sum + payload.length, 0);
    return (bytes * this.#node.setup.speed.executeUsPerKib) / 1024;
  }

  send(to: number, message: PeerMessage, body?: Uint8Array): void {
    const { observers, transmit } = this.#node.setup;
    for (const observer of observers) observer.sent?.(this.#node, to, message, body);
    transmit(this.#node, to, message, body);
  }

  broadcast(message: PeerMessage, body?: Uint8Array): void {
    const { observers, transmit, cluster, validator } = this.#node.setup;
    for (const observer of observers) observer.sent?.(this.#node, null, message, body);
    for (let to = 0; to < cluster.n; to++) {
      if (to !== validator) transmit(this.#node, to, message, body);
    }
  }

  peerFault(peer: number, code: string, detail: string): void {
    for (const observer of this.#node.setup.observers) {
      observer.faulted?.(this.#node, peer, code, detail);
    }
  }

  failed(error: Error): void {
    if (this.#closed) return;
    this.#node.failed(this.#actor, error, error instanceof AppendRefused);
  }

  #random(meanUs: number): number {
    return this.#node.setup.random.exponential(meanUs);
  }
}

function withoutBody(event: LogEvent): LogEvent {
  if (event.body === undefined) return event;
  const { body: _, ...rest } = event;
  return rest;
}
