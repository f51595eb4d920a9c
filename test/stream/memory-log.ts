/** A log in memory, which answers reads as the node's does: cut by bytes, and never in the same turn. */
import type { LogEvent } from '../../protocols/machine.ts';
import type { Block, Digest } from '../../protocols/types.ts';
import type { ReadRange } from '../../src/log/reader.ts';
import { Hub, type StreamLimits } from '../../src/stream/hub.ts';
import { LogSource } from '../../src/stream/log-source.ts';

export class MemoryLog {
  readonly #streams = new Map<string, LogEvent[]>();
  /** Reads so far. */
  reads = 0;
  /** What reads fail with, while it is set. */
  failure: Error | null = null;

  append(events: readonly LogEvent[]): void {
    for (const event of events) {
      const stream = this.#streams.get(event.stream) ?? [];
      this.#streams.set(event.stream, stream);
      if (event.seq !== stream.length) throw new Error(`${event.stream}/${event.seq} out of order`);
      stream.push(event);
    }
  }

  events(stream: string, from: number, to: number): readonly LogEvent[] {
    return (this.#streams.get(stream) ?? []).slice(from, to);
  }

  find(key: string): LogEvent | null {
    const all = [...this.#streams.values()].flat();
    return all.findLast(({ keys }) => keys?.includes(key)) ?? null;
  }

  read(range: ReadRange, done: (error: Error | null, events: readonly LogEvent[]) => void): void {
    this.reads++;
    const { failure } = this;
    const found: LogEvent[] = [];
    let bytes = 0;
    for (const event of this.events(range.stream, range.from, range.to)) {
      const { body, ...head } = event;
      found.push(range.bodies ? event : head);
      bytes += event.header.length + (range.bodies ? (body?.length ?? 0) : 0);
      if (bytes >= range.bytesMax) break;
    }
    setImmediate(() => done(failure, failure === null ? found : []));
  }

  readLast(stream: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    this.reads++;
    const { failure } = this;
    const last = this.#streams.get(stream)?.at(-1) ?? null;
    setImmediate(() => done(failure, failure === null ? last : null));
  }
}

/** The hub of a node with that log. */
export function hubOver(
  log: MemoryLog,
  digestOf: (block: Block) => Digest,
  limits: Partial<StreamLimits>,
): Hub {
  const source = new LogSource(() => log, digestOf);
  return new Hub({ source, limits, logger: { error() {} }, isTransient: () => false });
}
