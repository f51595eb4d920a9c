/**
 * Things that have a key, in the order of their keys, for tables to list from any key on. Kept as
 * a list of short sorted arrays: to find a place takes two binary searches, to make one moves at most
 * CHUNK_MAX places and now and then the list of arrays. Costs nothing while keys neither come nor go.
 * Keys often come and go in their order, as numbered ids and times do: so the place next to the last one
 * is tried before any search (a finger, as of Guibas et al. 1977).
 */
import { compareText } from './values.ts';

const CHUNK_MAX = 512;
/** The first of the surrogates: without units from there on, a key is to all others as engines compare. */
const SURROGATES = 0xd800;

export class KeyOrder<Item extends { readonly key: string }> {
  /** Ascending, and none of them empty. */
  readonly #chunks: Item[][] = [];
  /** Hints, which may be wrong: behind what was added last, and where something was removed last. */
  readonly #added = { chunk: 0, place: 0 };
  readonly #removed = { chunk: 0, place: 0 };

  /** `item`, whose key must not be there yet. */
  add(item: Item): void {
    const { key } = item;
    const added = this.#added;
    if (!this.#fits(key)) {
      added.chunk = this.#chunkOf(key);
      const found = this.#chunks[added.chunk];
      added.place = found === undefined ? 0 : placeOf(found, key);
    }
    const chunk = (this.#chunks[added.chunk] ??= []);
    if (added.place === chunk.length) chunk.push(item);
    else chunk.splice(added.place, 0, item);
    added.place++;
    if (chunk.length > CHUNK_MAX) {
      this.#chunks.splice(added.chunk + 1, 0, chunk.splice(CHUNK_MAX / 2));
    }
  }

  /** The item of this key, which must be there. */
  remove(key: string): void {
    const removed = this.#removed;
    if (this.#chunks[removed.chunk]?.[removed.place]?.key !== key) {
      removed.chunk = this.#chunkOf(key);
      removed.place = placeOf(this.#chunks[removed.chunk]!, key);
    }
    const chunk = this.#chunks[removed.chunk]!;
    chunk.splice(removed.place, 1);
    if (chunk.length === 0) this.#chunks.splice(removed.chunk, 1);
  }

  /** Whether `key` is to stand behind what was added last. */
  #fits(key: string): boolean {
    const { chunk: at, place } = this.#added;
    const chunk = this.#chunks[at];
    const before = chunk?.[place - 1];
    if (before === undefined || !(before.key < key) || !isPlain(key)) return false;
    const after = place < chunk!.length ? chunk![place] : this.#chunks[at + 1]?.[0];
    return after === undefined || key < after.key;
  }

  /** In ascending order, starting with `key` or what comes after it. Not to be changed meanwhile. */
  *from(key: string): Iterable<Item> {
    let at = this.#chunkOf(key);
    let chunk = this.#chunks[at];
    let place = chunk === undefined ? 0 : placeOf(chunk, key);
    for (; chunk !== undefined; chunk = this.#chunks[++at], place = 0) {
      for (; place < chunk.length; place++) yield chunk[place]!;
    }
  }

  /** In descending order, from the last item that is not `above`; what is above are the last ones. */
  *down(above: (key: string) => boolean): Iterable<Item> {
    const isBelow = (item: Item): boolean => !above(item.key);
    let at = Math.max(0, countWhere(this.#chunks, (chunk) => isBelow(chunk[0]!)) - 1);
    let chunk = this.#chunks[at];
    let place = chunk === undefined ? 0 : countWhere(chunk, isBelow);
    for (; chunk !== undefined; chunk = this.#chunks[--at], place = chunk?.length ?? 0) {
      while (place > 0) yield chunk[--place]!;
    }
  }

  /** The chunk that `key` lies in or is to lie in: the last that begins with it or below it. */
  #chunkOf(key: string): number {
    const after = isPlain(key)
      ? countWhere(this.#chunks, (chunk) => chunk[0]!.key <= key)
      : countWhere(this.#chunks, (chunk) => compareText(chunk[0]!.key, key) <= 0);
    return Math.max(0, after - 1);
  }
}

/** Both in ascending order, or both in descending; of two with one key that of `first` comes alone. */
export function* merged<Item extends { readonly key: string }>(
  first: Iterable<Item>,
  second: Iterable<Item>,
  reversed = false,
): Iterable<Item> {
  const sign = reversed ? -1 : 1;
  const others = second[Symbol.iterator]();
  let other = others.next();
  for (const item of first) {
    while (other.done !== true && sign * compareText(other.value.key, item.key) < 0) {
      yield other.value;
      other = others.next();
    }
    if (other.done !== true && other.value.key === item.key) other = others.next();
    yield item;
  }
  for (; other.done !== true; other = others.next()) yield other.value;
}

/** A number as part of a key: in the order of text numbers are in theirs. 14 digits hold any safe integer. */
export function orderedHex(value: number, digits = 14): string {
  return value.toString(16).padStart(digits, '0');
}

/** The number of 14 such digits; undefined for any other text. */
export function fromOrderedHex(text: string): number | undefined {
  const value = Number.parseInt(text, 16);
  return Number.isSafeInteger(value) && orderedHex(value) === text ? value : undefined;
}

/** Where `key` stands in the chunk, or is to stand. */
function placeOf(chunk: readonly { readonly key: string }[], key: string): number {
  return isPlain(key)
    ? countWhere(chunk, (item) => item.key < key)
    : countWhere(chunk, (item) => compareText(item.key, key) < 0);
}

/** Whether engines tell its place, which is several times as fast as compareText. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= SURROGATES) return false;
  return true;
}

/** How many of `items` are so, where those that are so come before those that are not. */
function countWhere<Item>(items: readonly Item[], isSo: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
