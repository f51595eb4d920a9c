/**
 * Where a submission was executed, and the fixed-size records in which the state remembers it. They
 * stand side by side in one growing array of bytes (a page), and that array is what is hashed.
 *
 *   0 seq · 8 validUntil · 16 height · 24 index · 28 txCount · 32 id · 64 receipts digest
 *   and for node submissions: 96 digest of principal and key · 128 digest of the transactions
 */
import { toHex } from '../bytes.ts';
import type { Digest, Millis } from '../types.ts';
import { readU32, readU53 } from './submission-reader.ts';

export const CLIENT_RECORD = 96;
export const NODE_RECORD = 160;
export const KEY_AT = 96;
export const CONTENT_AT = 128;
const ID_AT = 32;
const RECEIPTS_AT = 64;
const TWO_32 = 0x1_0000_0000;

/** What became of a submission. */
export interface Place {
  readonly id: Digest;
  readonly height: number;
  /** Place of its first transaction in the block. */
  readonly index: number;
  readonly txCount: number;
}

export interface Execution extends Place {
  readonly seq: number;
  readonly validUntil: Millis;
  /** The 32 bytes of `id`. */
  readonly idBytes: Uint8Array;
  readonly receiptsDigest: Uint8Array;
}

export class Page {
  readonly #record: number;
  #bytes: Uint8Array;
  #count = 0;

  constructor(recordBytes: number) {
    this.#record = recordBytes;
    this.#bytes = new Uint8Array(recordBytes);
  }

  get count(): number {
    return this.#count;
  }

  /** All records, without a copy: valid until the next change. Undefined for none. */
  row(): Uint8Array | undefined {
    return this.#count === 0 ? undefined : this.#bytes.subarray(0, this.#count * this.#record);
  }

  /** A page of which `row` gave these records; undefined when it cannot have. */
  static of(recordBytes: number, row: unknown): Page | undefined {
    if (!(row instanceof Uint8Array) || row.length === 0) return undefined;
    if (row.length % recordBytes !== 0) return undefined;
    const page = new Page(recordBytes);
    page.#bytes = row.slice();
    page.#count = row.length / recordBytes;
    return page;
  }

  /** Makes room for a record at `at`, moving those behind it; its bytes are the caller's to write. */
  insert(at: number, execution: Execution): Uint8Array {
    const size = this.#record;
    const used = this.#count * size;
    if (used === this.#bytes.length) {
      const grown = new Uint8Array(used * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.copyWithin((at + 1) * size, at * size, used);
    this.#count++;
    const record = this.#bytes.subarray(at * size, (at + 1) * size);
    writeExecution(record, execution);
    return record;
  }

  remove(at: number): void {
    const size = this.#record;
    this.#bytes.copyWithin(at * size, (at + 1) * size, this.#count * size);
    this.#count--;
  }

  clear(): void {
    this.#count = 0;
  }

  seq(at: number): number {
    return readU53(this.#bytes, at * this.#record);
  }

  validUntil(at: number): Millis {
    return readU53(this.#bytes, at * this.#record + 8);
  }

  hasId(at: number, id: Uint8Array): boolean {
    return this.sameAt(at, ID_AT, id);
  }

  /** The 32 bytes at `field` of record `at`, without a copy: valid until the next change. */
  fieldAt(at: number, field: number): Uint8Array {
    const start = at * this.#record + field;
    return this.#bytes.subarray(start, start + 32);
  }

  /** Whether the 32 bytes at `field` of record `at` are `expected`. */
  sameAt(at: number, field: number, expected: Uint8Array): boolean {
    const start = at * this.#record + field;
    for (let i = 0; i < 32; i++) if (this.#bytes[start + i] !== expected[i]) return false;
    return true;
  }

  place(at: number): Place {
    const start = at * this.#record;
    return {
      id: toHex(this.#bytes.subarray(start + ID_AT, start + RECEIPTS_AT)) as Digest,
      height: readU53(this.#bytes, start + 16),
      index: readU32(this.#bytes, start + 24),
      txCount: readU32(this.#bytes, start + 28),
    };
  }
}

function writeExecution(record: Uint8Array, execution: Execution): void {
  writeU53(record, 0, Math.max(execution.seq, 0));
  writeU53(record, 8, execution.validUntil);
  writeU53(record, 16, execution.height);
  writeU32(record, 24, execution.index);
  writeU32(record, 28, execution.txCount);
  record.set(execution.idBytes, ID_AT);
  record.set(execution.receiptsDigest, RECEIPTS_AT);
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function writeU53(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, Math.floor(value / TWO_32));
  writeU32(bytes, at + 4, value >>> 0);
}
