/**
 * One event as a row of `althing.event` in PostgreSQL's binary form, and the hash chain over rows.
 *
 * L1. hash(seq) = BLAKE3(hash(seq − 1) ‖ fields seq, kind, header, keys, body_bytes, body_digest),
 *     each field as the server stores and returns it: its length as int32 (−1 for null), its bytes.
 * L2. hash(−1) = BLAKE3("althing/v1/log" ‖ cluster id ‖ public key ‖ stream name): a row moved to
 *     another stream, or taken from another node's log, breaks the chain.
 * L3. The body enters by its digest, which is not computed again if the event brings it.
 */
import { blake3 } from '@napi-rs/blake-hash';
import type { LogEvent } from '../../protocols/machine.ts';
import type { LogIdentity } from './schema.ts';
import type { WireWriter } from './wire.ts';

export const HASH_BYTES = 32;
export const KEY_BYTES = 32;
/** Largest slice of a body for which row, row header and page header fit one page of 8192 bytes. */
export const PART_BYTES = 8112;

/** Columns in the order of the binary row. */
export const EVENT_COLUMNS = 'stream, seq, kind, header, keys, body_bytes, body_digest, hash';
const COLUMN_COUNT = 8;

export interface EventRow {
  readonly streamId: number;
  readonly seq: number;
  readonly kind: string;
  readonly header: Uint8Array;
  readonly keys: Buffer | null;
  /** Null when the event has no body; 0 when it has an empty one. */
  readonly bodyBytes: number | null;
  readonly bodyDigest: Buffer | null;
  readonly hash: Buffer;
  /** The bytes that the chain covers; valid only while the row is being received. */
  readonly covered: Buffer;
}

export function chainRoot({ clusterId, publicKey }: LogIdentity, stream: string): Buffer {
  const text = `althing/v1/log\0${clusterId}\0${publicKey}\0${stream}`;
  return blake3(Buffer.from(text));
}

let scratch = Buffer.alloc(4096);

export function chainHash(previous: Uint8Array, covered: Uint8Array): Buffer {
  const length = HASH_BYTES + covered.length;
  if (scratch.length < length) scratch = Buffer.alloc(length * 2);
  scratch.set(previous);
  scratch.set(covered, HASH_BYTES);
  return blake3(scratch.subarray(0, length));
}

/** A `Buffer` over the same memory: the BLAKE3 binding wants one by its types, not by its code. */
export function digestBody(body: Uint8Array): Buffer {
  return blake3(body as Buffer);
}

const KINDS = new Map<string, Buffer>();

function kindBytes(kind: string): Buffer {
  let bytes = KINDS.get(kind);
  if (bytes === undefined) KINDS.set(kind, (bytes = Buffer.from(kind)));
  return bytes;
}

/** Writes the row and returns its hash. */
export function writeEventRow(
  writer: WireWriter,
  event: LogEvent,
  streamId: number,
  previousHash: Uint8Array,
): Buffer {
  writer.i16(COLUMN_COUNT);
  writer.fieldI16(streamId);
  const start = writer.length;
  writer.fieldU53(event.seq);
  writer.field(kindBytes(event.kind));
  writer.field(event.header);
  writeKeys(writer, event.keys);
  writer.fieldI32(event.body === undefined ? null : event.body.length);
  writer.field(event.body === undefined ? null : bodyDigestOf(event.body, event.bodyDigest));
  const hash = chainHash(previousHash, writer.view(start));
  writer.field(hash);
  return hash;
}

function bodyDigestOf(body: Uint8Array, known: string | undefined): Buffer {
  return known === undefined ? digestBody(body) : Buffer.from(known, 'hex');
}

function writeKeys(writer: WireWriter, keys: readonly string[] | undefined): void {
  if (keys === undefined || keys.length === 0) return writer.field(null);
  writer.i32(keys.length * KEY_BYTES);
  for (const key of keys) writer.hex(key);
}

/** Reads one binary row that starts at `offset` of a CopyData message; null at the trailer. */
export function readEventRow(bytes: Buffer, offset: number): EventRow | null {
  if (bytes.readInt16BE(offset) === -1) return null;
  const reader = new FieldReader(bytes, offset + 2);
  const streamId = reader.i16();
  const start = reader.at;
  const seq = reader.u53();
  const kind = reader.text();
  const header = new Uint8Array(reader.bytes() ?? []);
  const keys = reader.copy();
  const bodyBytes = reader.i32OrNull();
  const bodyDigest = reader.copy();
  const covered = bytes.subarray(start, reader.at);
  const hash = reader.copy() ?? Buffer.alloc(0);
  return { streamId, seq, kind, header, keys, bodyBytes, bodyDigest, hash, covered };
}

/** Fields of one binary row, in order. Views are valid as long as the message is. */
export class FieldReader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  bytes(): Buffer | null {
    const length = this.#bytes.readInt32BE(this.at);
    const start = this.at + 4;
    if (length === -1) {
      this.at = start;
      return null;
    }
    this.at = start + length;
    return this.#bytes.subarray(start, this.at);
  }

  /** A view would keep the whole network chunk alive, and see it change. */
  copy(): Buffer | null {
    const view = this.bytes();
    return view === null ? null : Buffer.from(view);
  }

  text(): string {
    return this.bytes()?.toString('utf8') ?? '';
  }

  i16(): number {
    return this.bytes()?.readInt16BE(0) ?? 0;
  }

  i32OrNull(): number | null {
    return this.bytes()?.readInt32BE(0) ?? null;
  }

  /** A non-negative 64-bit integer below 2^53. */
  u53(): number {
    const view = this.bytes();
    return view === null ? -1 : view.readInt32BE(0) * 0x1_0000_0000 + view.readUInt32BE(4);
  }
}

/** 64 hex characters each. */
export function keysOf(row: EventRow): string[] {
  const keys: string[] = [];
  const length = row.keys?.length ?? 0;
  for (let at = 0; at + KEY_BYTES <= length; at += KEY_BYTES) {
    keys.push(row.keys!.toString('hex', at, at + KEY_BYTES));
  }
  return keys;
}
