/** A client of a call that is answered by a stream: all that came, and how it ended. */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';

export interface Ended {
  /** The status code of gRPC. */
  readonly status: number;
  readonly code: string;
  readonly field: string;
  readonly resume: string;
}

interface Told {
  readonly id: string;
}

export class Watching<T extends Told> {
  readonly messages: T[] = [];
  readonly ended: Promise<Ended>;
  readonly #stream: ClientReadableStream<T>;
  #isOver = false;
  #changed: (() => void)[] = [];

  constructor(t: ExecutionContext, stream: ClientReadableStream<T>) {
    this.#stream = stream;
    stream.on('data', (message: T) => {
      this.messages.push(message);
      this.#tell();
    });
    this.ended = new Promise((resolve) => {
      stream.on('error', (error: ServiceError) => {
        const of = (name: string): string => String(error.metadata.get(`althing-${name}`)[0] ?? '');
        this.#isOver = true;
        const ended = { code: of('code'), field: of('field'), resume: of('resume') };
        resolve({ status: error.code, ...ended });
        this.#tell();
      });
    });
    t.teardown(() => stream.cancel());
  }

  /** Without progress. */
  get items(): readonly T[] {
    return this.messages.filter((message) => !('progress' in message));
  }

  get ids(): readonly string[] {
    return this.items.map(({ id }) => id);
  }

  /** Resolves with the first message for which that holds; rejects when the stream ends before. */
  async first(holds: (message: T) => boolean): Promise<T> {
    for (let from = 0; ;) {
      for (; from < this.messages.length; from++) {
        if (holds(this.messages[from]!)) return this.messages[from]!;
      }
      if (this.#isOver) throw new Error('the stream ended before');
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  stopReading(): void {
    this.#stream.pause();
  }

  startReading(): void {
    this.#stream.resume();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const told of changed) told();
  }
}

/**
 * What is told until `isLast`: asked for again where it ended, whenever a loaded machine has made the
 * reader too slow for what the node was told to wait.
 */
export async function toldUntil<T extends Told>(
  watch: (request: object) => Watching<T>,
  request: object,
  isLast: (message: T) => boolean,
): Promise<readonly T[]> {
  const watching = watch(request);
  const isWhole = await watching.first(isLast).then(
    () => true,
    () => false,
  );
  if (isWhole) {
    watching.cancel();
    return watching.items;
  }
  const { code, resume } = await watching.ended;
  if (code !== 'slow_consumer') throw new Error(`the stream ended before: ${code}`);
  const again = { ...request, from: undefined, after: resume };
  return [...watching.items, ...(await toldUntil(watch, again, isLast))];
}
