/**
 * A node's log with append and sync apart. An append is first on its way, then written (the server
 * has it, the disk does not), then synced; only then is it confirmed. A crash keeps what was synced
 * and, for each connection on its own, an arbitrary part from the front of what was written.
 */
import type { LogEvent } from '../../protocols/machine.ts';
import type { ProtocolActor } from '../../protocols/messages.ts';
import type { Random } from '../../bench/random.ts';

export type AppendPhase = 'issued' | 'written' | 'synced';

interface Pending {
  readonly events: readonly LogEvent[];
  phase: AppendPhase;
}

/** The log itself contradicts what its writers must keep: one writer, no gaps. */
export class LogMisuse extends Error {
  override readonly name = 'LogMisuse';
}

export class SimLog {
  readonly #streams = new Map<string, LogEvent[]>();
  /** The first position that is left of each. */
  readonly #bases = new Map<string, number>();
  readonly #keys = new Map<string, LogEvent>();
  readonly #writers = new Map<string, ProtocolActor>();
  readonly #pending = new Map<ProtocolActor, Pending[]>();
  /** How often something was. */
  pruned = 0;
  readonly #synced: (events: readonly LogEvent[]) => void;

  /** `synced` sees every event once, the moment that it can no longer be lost. */
  constructor(synced: (events: readonly LogEvent[]) => void) {
    this.#synced = synced;
  }

  issue(actor: ProtocolActor, events: readonly LogEvent[]): Pending {
    const pending: Pending = { events, phase: 'issued' };
    const queue = this.#pending.get(actor);
    if (queue) queue.push(pending);
    else this.#pending.set(actor, [pending]);
    return pending;
  }

  /** The append will not happen: its caller is told so. */
  refuse(actor: ProtocolActor, append: Pending): void {
    this.#take(actor, append);
  }

  write(append: Pending): void {
    append.phase = 'written';
  }

  sync(actor: ProtocolActor, append: Pending): void {
    this.#take(actor, append);
    append.phase = 'synced';
    this.#store(actor, append.events);
  }

  /** Power is lost: what was only issued is gone, what was written may be. */
  crash(random: Random): void {
    for (const [actor, queue] of this.#pending) {
      const written = queue.filter((append) => append.phase === 'written');
      const kept = random.int(written.length + 1);
      for (const append of written.slice(0, kept)) this.#store(actor, append.events);
    }
    this.#pending.clear();
  }

  read(stream: string, from: number, to: number, bytesMax: number): LogEvent[] {
    const events = this.#streams.get(stream) ?? [];
    const out: LogEvent[] = [];
    let bytes = 0;
    if (from < (this.#bases.get(stream) ?? 0)) return out;
    for (let at = from; at < Math.min(to, events.length) && bytes < bytesMax; at++) {
      const event = events[at] as LogEvent;
      out.push(event);
      bytes += event.header.length + (event.body?.length ?? 0);
    }
    return out;
  }

  last(stream: string): LogEvent | null {
    return this.#streams.get(stream)?.at(-1) ?? null;
  }

  /** Positions below `seq` cannot be read any more; the last event stays. */
  prune(stream: string, seq: number): void {
    const events = this.#streams.get(stream) ?? [];
    const base = Math.min(seq, events.length - 1);
    if (base <= (this.#bases.get(stream) ?? 0)) return;
    this.#bases.set(stream, base);
    this.pruned++;
  }

  find(key: string): LogEvent | null {
    return this.#keys.get(key) ?? null;
  }

  #take(actor: ProtocolActor, append: Pending): void {
    const queue = this.#pending.get(actor) ?? [];
    const at = queue.indexOf(append);
    if (at >= 0) queue.splice(at, 1);
  }

  #store(actor: ProtocolActor, events: readonly LogEvent[]): void {
    for (const event of events) {
      const writer = this.#writers.get(event.stream) ?? actor;
      if (writer !== actor) {
        throw new LogMisuse(`stream ${event.stream} is written by ${writer} and by ${actor}`);
      }
      this.#writers.set(event.stream, actor);
      let stream = this.#streams.get(event.stream);
      if (stream === undefined) this.#streams.set(event.stream, (stream = []));
      if (event.seq !== stream.length) {
        throw new LogMisuse(
          `${actor} appends ${event.stream}/${event.seq}, expected ${stream.length}`,
        );
      }
      stream.push(event);
      for (const key of event.keys ?? []) this.#keys.set(key, event);
    }
    this.#synced(events);
  }
}
