/**
 * Writes messages of PostgreSQL's frontend protocol (version 3, "Message Formats") into one growing
 * buffer: rows of binary COPY, and the Bind and Execute that start one.
 */

/** Binary COPY's signature, flags and empty header extension. */
const COPY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const COPY_DATA = 0x64;
const TWO_32 = 0x1_0000_0000;

export const COPY_HEADER_BYTES = COPY_HEADER.length;
export const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
export const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

export class WireWriter {
  #bytes: Buffer;
  #length = 0;
  #message = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far from `start` on; valid until the next write. */
  view(start = 0): Buffer {
    return this.#bytes.subarray(start, this.#length);
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length = at + bytes;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  i16(value: number): void {
    const at = this.#room(2);
    this.#bytes.writeInt16BE(value, at);
  }

  i32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
  }

  /** A non-negative safe integer in 64 bits. */
  u53(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeUInt32BE(Math.floor(value / TWO_32), at);
    this.#bytes.writeUInt32BE(value >>> 0, at + 4);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  hex(text: string): void {
    const at = this.#room(text.length >> 1);
    this.#bytes.write(text, at, 'hex');
  }

  /** One binary field; null is a field too. */
  field(bytes: Uint8Array | null): void {
    this.i32(bytes === null ? -1 : bytes.length);
    if (bytes !== null) this.raw(bytes);
  }

  fieldI16(value: number): void {
    this.i32(2);
    this.i16(value);
  }

  fieldI32(value: number | null): void {
    this.i32(value === null ? -1 : 4);
    if (value !== null) this.i32(value);
  }

  fieldU53(value: number): void {
    this.i32(8);
    this.u53(value);
  }

  /** Starts a CopyData message; `first` adds what every binary COPY begins with. */
  beginCopyData(first: boolean): void {
    this.u8(COPY_DATA);
    this.#message = this.#length;
    this.i32(0);
    if (first) this.raw(COPY_HEADER);
  }

  /** Ends the message; `extra` bytes of it follow outside this buffer. */
  endMessage(extra = 0): void {
    this.#bytes.writeInt32BE(this.#length - this.#message + extra, this.#message);
  }

  /** The end of a binary COPY: the row trailer and CopyDone. */
  copyEnd(): void {
    this.beginCopyData(false);
    this.i16(-1);
    this.endMessage();
    this.raw(COPY_DONE);
  }
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Parse: prepares `sql` under `name`. */
export function parseMessage(name: string, sql: string): Buffer {
  return message('P', Buffer.from(`${name}\0${sql}\0\0\0`));
}

/** Bind and Execute of a prepared statement without parameters. */
export function bindExecute(name: string): Buffer {
  const bind = message('B', Buffer.from(`\0${name}\0\0\0\0\0\0\0`));
  return Buffer.concat([bind, message('E', Buffer.from([0, 0, 0, 0, 0]))]);
}
