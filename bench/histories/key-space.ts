/**
 * The keys that clients share: few at a time, so that they meet, and each for a bounded number of
 * operations, so that its history can be searched.
 */
import type { Random } from '../random.ts';
import type { Asked, KeyOperation, Told } from './register.ts';

const KEYS_AT_ONCE = 3;
const OPERATIONS_MAX = 120;
/** Each of them doubles what a search may have to try. */
const UNKNOWN_MAX = 6;
/** What is deleted can be written again; writes come more often, or there would be little to see. */
const CHANCES = { get: 0.45, put: 0.3, cas: 0.2 };

interface Key {
  readonly name: string;
  operations: number;
  unknown: number;
  /** What somebody has seen or written last: a guess for who compares. */
  last: number;
}

export class KeySpace {
  readonly #random: Random;
  readonly #keys: Key[] = [];
  #names = 0;
  #values = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Those that are asked of now. */
  get names(): readonly string[] {
    return this.#keys.map(({ name }) => name);
  }

  /** What to ask next, and of which key. */
  next(): Pick<KeyOperation, 'key' | 'asked'> {
    const random = this.#random;
    const at = random.int(KEYS_AT_ONCE);
    let key = this.#keys[at];
    if (key === undefined || key.operations >= OPERATIONS_MAX || key.unknown >= UNKNOWN_MAX) {
      key = { name: `k${this.#names++}`, operations: 0, unknown: 0, last: 0 };
      this.#keys[at] = key;
    }
    key.operations++;
    return { key: key.name, asked: this.#asked(key.last, random.float()) };
  }

  #asked(expected: number, drawn: number): Asked {
    if (drawn < CHANCES.get) return { kind: 'get' };
    if (drawn < CHANCES.get + CHANCES.put) return { kind: 'put', value: ++this.#values };
    if (drawn < CHANCES.get + CHANCES.put + CHANCES.cas) {
      return { kind: 'cas', expected, value: ++this.#values };
    }
    return { kind: 'delete' };
  }

  /** What became of it; null for what nobody told. */
  note({ key: name, asked }: Pick<KeyOperation, 'key' | 'asked'>, told: Told | null): void {
    const key = this.#keys.find((each) => each.name === name);
    if (key === undefined) return;
    if (told === null) {
      if (asked.kind !== 'get') key.unknown++;
    } else if (told.kind === 'read') key.last = told.value ?? key.last;
    else if (told.done && 'value' in asked) key.last = asked.value;
  }
}
