/**
 * What the transactions of one submission were, as few bytes as possible, because mostly they are the
 * same: `u16 n · u8 length, module · u8 length, command` for n transactions in a row. Beside the
 * outcomes (receipts.ts) it tells readers of the log what happened without the payloads.
 */
import { utf8, Writer } from '../bytes.ts';
import { readU16 } from './submission-reader.ts';
import { readText } from './text-reader.ts';

/** `count` transactions in a row that named the same command. */
export interface CallRun {
  readonly count: number;
  /** Empty, as the command is, where the name was no text. */
  readonly module: string;
  readonly command: string;
}

export class CallsWriter {
  readonly #writer = new Writer(256);
  #names: Uint8Array = new Uint8Array(0);
  #count = 0;

  start(): void {
    this.#writer.reset();
    this.#count = 0;
  }

  /** One more; `names` is the same array as long as the names are, each with its length first. */
  add(names: Uint8Array): void {
    if (names !== this.#names) {
      this.#endRun();
      this.#names = names;
    }
    this.#count++;
  }

  take(): Uint8Array {
    this.#endRun();
    return this.#writer.take();
  }

  #endRun(): void {
    if (this.#count > 0) this.#writer.u16(this.#count).raw(this.#names);
    this.#count = 0;
  }
}

/** Names as they stand in a submission, for timers: the same array for the same names. */
export class TimerNames {
  readonly #byText = new Map<string, Uint8Array>();

  of(module: string, timer: string): Uint8Array {
    const text = `${module}.${timer}`;
    let names = this.#byText.get(text);
    if (names === undefined) {
      const writer = new Writer(64);
      for (const name of [utf8(module), utf8(timer)]) writer.u8(name.length).raw(name);
      names = writer.take();
      this.#byText.set(text, names);
    }
    return names;
  }
}

/** Where the names of a transaction end that start at `at`. */
export function endOfNames(bytes: Uint8Array, at: number): number {
  const moduleEnd = at + 1 + bytes[at]!;
  return moduleEnd + 1 + bytes[moduleEnd]!;
}

/** Null when the bytes do not name `txCount` transactions. */
export function decodeCalls(bytes: Uint8Array, txCount: number): CallRun[] | null {
  const runs: CallRun[] = [];
  let total = 0;
  let at = 0;
  while (at < bytes.length) {
    const moduleStart = at + 3;
    const moduleEnd = moduleStart + (bytes[moduleStart - 1] ?? 0);
    const commandStart = moduleEnd + 1;
    const end = commandStart + (bytes[moduleEnd] ?? 0);
    if (end > bytes.length) return null;
    const count = readU16(bytes, at);
    runs.push({
      count,
      module: readText(bytes, moduleStart, moduleEnd) ?? '',
      command: readText(bytes, commandStart, end) ?? '',
    });
    total += count;
    at = end;
  }
  return total === txCount ? runs : null;
}
