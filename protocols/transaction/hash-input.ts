/**
 * The bytes to be hashed next, in one buffer that is used again and again. `done` hands out views of
 * it that are kept by length, so that hashing a row allocates nothing.
 */
import { Writer } from '../bytes.ts';
import { writeValue, type Value } from './values.ts';

const CAPACITY = 4096;

export class HashInput {
  readonly #writer = new Writer(CAPACITY);
  readonly #views: (Uint8Array | undefined)[] = [];

  start(): this {
    // A longer input has replaced the buffer that the views look at.
    if (this.#writer.length > CAPACITY) this.#views.length = 0;
    this.#writer.reset();
    return this;
  }

  byte(value: number): this {
    this.#writer.u8(value);
    return this;
  }

  /** UTF-8 with its length first. */
  text(text: string): this {
    this.#writer.text(text);
    return this;
  }

  utf8(text: string): this {
    this.#writer.utf8(text);
    return this;
  }

  u32(value: number): this {
    this.#writer.u32(value);
    return this;
  }

  u53(value: number): this {
    this.#writer.i54(value);
    return this;
  }

  hex(text: string): this {
    this.#writer.hex(text);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#writer.raw(bytes);
    return this;
  }

  value(value: Value): this {
    writeValue(this.#writer, value);
    return this;
  }

  /** What was written since `start`, valid until the next `start`. */
  done(): Uint8Array {
    const { length } = this.#writer;
    if (length > CAPACITY) return this.#writer.view();
    return (this.#views[length] ??= this.#writer.view());
  }
}
