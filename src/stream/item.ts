/** One message of the stream, as all who subscribed share it. */

const PROGRESS = 'progress';

/** How a transport writes an item; the same function for the same form. */
export type Encoder<T extends string | Uint8Array = string | Uint8Array> = (item: Item) => T;

export class Item {
  /** What a client that has seen it names to resume: `H.I`, or `H`. */
  readonly id: string;
  /** Its members. Values of modules hold bytes and big integers as they are. */
  readonly value: object;
  /** Within its part. */
  readonly at: number;
  #encoder: Encoder | null = null;
  #encoded: string | Uint8Array = '';
  #others: Map<Encoder, string | Uint8Array> | null = null;

  constructor(id: string, value: object, at = 0) {
    this.id = id;
    this.value = value;
    this.at = at;
  }

  /** Written once in each form, for however many subscribers. */
  as<T extends string | Uint8Array>(encoder: Encoder<T>): T {
    if (this.#encoder === encoder) return this.#encoded as T;
    if (this.#encoder === null) {
      this.#encoder = encoder;
      this.#encoded = encoder(this);
      return this.#encoded as T;
    }
    this.#others ??= new Map();
    const known = this.#others.get(encoder);
    if (known !== undefined) return known as T;
    const made = encoder(this);
    this.#others.set(encoder, made);
    return made;
  }
}

/** So many bytes are written before somebody looks at the clock, and at the room, again. */
const BATCH_BYTES_MAX = 64 * 1024;

/** The first of them and those after it, until they have some bytes together. */
export function encoded<T extends string | Uint8Array>(
  items: readonly Item[],
  encoder: Encoder<T>,
): readonly T[] {
  const written: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const one = item.as(encoder);
    written.push(one);
    bytes += one.length;
    if (bytes >= BATCH_BYTES_MAX) break;
  }
  return written;
}

/** Says only how far the subscriber has come, where its filter let nothing through. */
export function progressItem(height: number, id: string): Item {
  return new Item(id, { id, kind: PROGRESS, height });
}

export function isProgress({ value }: Item): boolean {
  return (value as { readonly kind?: unknown }).kind === PROGRESS;
}
