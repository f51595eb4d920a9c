/**
 * The loop that all four actors share, and the only place that knows persist-then-send (rules P1,
 * P2): take all that waits, step each input, append all events in one write, then release the
 * effects. Group commit falls out of it: what arrives during a write waits for the next turn.
 *
 * I10. No effect of a turn leaves before every event of that turn and of all earlier ones is durable,
 *      except those that the machine put into `immediate`.
 * I11. An append that fails ends the actor: it comes back from its log, never from its memory.
 */
import {
  newOutput,
  unreachable,
  type LogEvent,
  type Machine,
  type SnapshotFound,
} from '../protocols/machine.ts';
import type { CommonInput, Effect } from '../protocols/messages.ts';
import type { Millis } from '../protocols/types.ts';
import type { Host } from './host.ts';
import { Mailbox, type Receipt } from './mailbox.ts';

/** Most inputs stepped before their events are written. */
const TURN_INPUTS_MAX = 512;
/** Deferred events are written by then even if nothing else is. */
const DEFERRED_MS_MAX = 20;
const RECOVERY_BYTES_PER_READ = 4 * 1024 * 1024;
const DEFERRED_TIMER = 'shell/deferred';

export interface ShellStats {
  turns: number;
  inputs: number;
  appends: number;
  events: number;
  /** Sum over all turns of how long the mailbox had been waiting for the turn. */
  waitMs: number;
}

export class Shell<Input extends { readonly kind: string }> {
  readonly #machine: Machine<Input | CommonInput, Effect>;
  readonly #host: Host;
  readonly stats: ShellStats = { turns: 0, inputs: 0, appends: 0, events: 0, waitMs: 0 };

  readonly #mailbox = new Mailbox<Input | CommonInput>();
  #waitingSince = 0;
  #saidStarted = false;
  #deferred: LogEvent[] = [];
  #state: 'new' | 'recovering' | 'running' | 'stopped' = 'new';
  #appending = false;
  #scheduled = false;
  #deferredTimer = false;
  #whenIdle: (() => void) | null = null;

  constructor(machine: Machine<Input | CommonInput, Effect>, host: Host) {
    this.#machine = machine;
    this.#host = host;
  }

  /** Inputs that wait: what bounded mailboxes and credits are computed from. */
  get waiting(): number {
    return this.#mailbox.length;
  }

  /** Inputs that wait and came neither from peers nor from clients. */
  get waitingInside(): number {
    return this.#mailbox.inside;
  }

  /** Recovers the machine from its log, then steps `started` and whatever arrived meanwhile. */
  start(started: () => void): void {
    this.#state = 'recovering';
    const recovered = (): void => {
      if (this.#state !== 'recovering') return;
      this.#state = 'running';
      this.#schedule();
      started();
    };
    this.#guard(() => this.#recoverNext(recovered));
  }

  /** @param receipt told when a turn takes the input, or when nobody is left to take it. */
  deliver(input: Input | CommonInput, receipt?: Receipt): void {
    if (this.#state === 'stopped') return receipt?.taken();
    if (this.#mailbox.length === 0) this.#waitingSince = this.#host.now();
    this.#mailbox.push(input, receipt);
    this.#schedule();
  }

  /** While held, the actor takes nothing from peers and clients; everything else goes on (I21). */
  holdOutside(held: boolean): void {
    this.#mailbox.outsideHeld = held;
    if (!held && this.#mailbox.length > 0) this.#schedule();
  }

  timerFired(timer: string): void {
    if (timer === DEFERRED_TIMER) {
      this.#deferredTimer = false;
      if (!this.#appending) this.#append([], []);
      return;
    }
    this.deliver({ kind: 'timer', timer });
  }

  /** Calls back once nothing waits and everything said is durable; takes nothing more after that. */
  stop(stopped: () => void): void {
    if (this.#state !== 'running') {
      this.kill();
      return stopped();
    }
    this.#whenIdle = stopped;
    this.#mailbox.outsideHeld = false;
    this.#schedule();
  }

  /** At once, whatever waits: the actor is gone as if its thread had died. */
  kill(): void {
    this.#state = 'stopped';
    this.#mailbox.clear();
  }

  #recoverNext(done: () => void): void {
    const wanted = this.#machine.nextRecovery();
    if (wanted === null) return done();
    if ('snapshotUpTo' in wanted) return this.#recoverSnapshot(wanted.snapshotUpTo, done);
    if (wanted.from === 'last') {
      this.#host.readLast(wanted.stream, (error, event) => {
        if (error) return this.#fail(error);
        this.#guard(() => {
          if (event) this.#machine.recover(event);
          this.#recoverNext(done);
        });
      });
      return;
    }
    this.#recoverRange(wanted.stream, wanted.from, wanted.bodies, done);
  }

  #recoverSnapshot(upTo: number, done: () => void): void {
    const found = (what: SnapshotFound): void => {
      if (this.#state === 'recovering') this.#guard(() => this.#machine.recoverSnapshot?.(what));
    };
    this.#host.readSnapshot(
      upTo,
      (bytes) => found({ kind: 'part', bytes }),
      (error, kept) => {
        if (error) return this.#fail(error);
        if (kept === null) found({ kind: 'none' });
        else found({ kind: 'end', height: kept.height, head: kept.head });
        if (this.#state === 'recovering') this.#guard(() => this.#recoverNext(done));
      },
    );
  }

  #recoverRange(stream: string, from: number, bodies: boolean, done: () => void): void {
    const range = {
      stream,
      from,
      to: Number.MAX_SAFE_INTEGER,
      bytesMax: RECOVERY_BYTES_PER_READ,
      bodies,
    };
    this.#host.read(range, (error, events) => {
      if (error) return this.#fail(error);
      this.#guard(() => {
        for (const event of events) this.#machine.recover(event);
        if (events.length === 0) this.#recoverNext(done);
        else this.#recoverRange(stream, from + events.length, bodies, done);
      });
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#appending || this.#state !== 'running') return;
    this.#scheduled = true;
    this.#host.soon(() => {
      this.#scheduled = false;
      if (this.#state === 'running' && !this.#appending) this.#guard(() => this.#turn());
    });
  }

  #turn(): void {
    if (this.#mailbox.length > 0)
      this.stats.waitMs += Math.max(0, this.#host.now() - this.#waitingSince);
    const inputs = this.#mailbox.take(TURN_INPUTS_MAX);
    const now = this.#host.now();
    this.#waitingSince = now;
    if (!this.#saidStarted) inputs.unshift({ kind: 'started' });
    this.#saidStarted = true;
    this.#step(inputs, now);
  }

  #step(inputs: readonly (Input | CommonInput)[], now: Millis): void {
    const turn = newOutput<Effect>();
    for (const input of inputs) {
      const output = this.#machine.step(input, now);
      for (const effect of output.immediate) this.#release(effect);
      // One by one: as arguments of one call, too many of them would overflow the stack.
      for (const event of output.events) turn.events.push(event);
      for (const effect of output.effects) turn.effects.push(effect);
      for (const event of output.deferred) this.#deferred.push(event);
    }
    this.stats.turns++;
    this.stats.inputs += inputs.length;
    if (turn.events.length > 0) return this.#append(turn.events, turn.effects);
    for (const effect of turn.effects) this.#release(effect);
    this.#deferSoon();
    this.#next();
  }

  #append(events: readonly LogEvent[], effects: readonly Effect[]): void {
    const all = this.#deferred.length === 0 ? events : [...this.#deferred, ...events];
    this.#deferred = [];
    if (all.length === 0) return this.#next();
    this.#appending = true;
    this.stats.appends++;
    this.stats.events += all.length;
    this.#host.append(all, (error) => {
      if (this.#state === 'stopped') return;
      this.#appending = false;
      if (error) return this.#fail(error);
      this.#guard(() => {
        for (const effect of effects) this.#release(effect);
        this.#deferSoon();
        this.#next();
      });
    });
  }

  #deferSoon(): void {
    if (this.#deferred.length === 0 || this.#deferredTimer) return;
    this.#deferredTimer = true;
    this.#host.setTimer(DEFERRED_TIMER, this.#host.now() + DEFERRED_MS_MAX);
  }

  #next(): void {
    if (this.#mailbox.ready > 0) return this.#schedule();
    if (this.#whenIdle === null) return;
    if (this.#deferred.length > 0) return this.#append([], []);
    this.#state = 'stopped';
    this.#whenIdle();
  }

  #release(effect: Effect): void {
    const host = this.#host;
    switch (effect.kind) {
      case 'tell':
        return host.tell(effect.to, effect.message);
      case 'send':
        return host.send(effect.to, effect.message, effect.body);
      case 'broadcast':
        return host.broadcast(effect.message, effect.body);
      case 'setTimer':
        return host.setTimer(effect.timer, effect.at);
      case 'clearTimer':
        return host.clearTimer(effect.timer);
      case 'readLog':
        return this.#read(effect);
      case 'findLog':
        return this.#find(effect);
      case 'pruneLog':
        return host.prune(effect.stream, effect.below);
      case 'keepSnapshot':
        return this.#keep(effect);
      case 'peerFault':
        return host.peerFault(effect.peer, effect.code, effect.detail);
      default:
        return unreachable(effect);
    }
  }

  #read(effect: Extract<Effect, { kind: 'readLog' }>): void {
    const { tag, stream, from, to, bytesMax } = effect;
    this.#host.read({ stream, from, to, bytesMax, bodies: true }, (error, events) => {
      if (this.#state === 'stopped') return;
      if (error) return this.#fail(error);
      this.deliver({ kind: 'logRead', tag, events });
    });
  }

  #find(effect: Extract<Effect, { kind: 'findLog' }>): void {
    this.#host.find(effect.key, (error, event) => {
      if (this.#state === 'stopped') return;
      if (error) return this.#fail(error);
      this.deliver({ kind: 'logFound', tag: effect.tag, event });
    });
  }

  /** What cannot be kept costs time at the next start, and nothing else. */
  #keep({ height, index, part, head }: Extract<Effect, { kind: 'keepSnapshot' }>): void {
    this.#host.keepSnapshot({ height, index, part, head }, (error) => {
      if (this.#state === 'stopped') return;
      this.deliver({ kind: 'snapshotKept', height, error: error?.message ?? null });
    });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#state === 'stopped') return;
    this.kill();
    this.#host.failed(error);
  }
}
