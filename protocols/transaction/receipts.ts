/**
 * What became of the transactions of one submission, as few bytes as possible, because most of them
 * simply succeed:
 *
 *   0x00 · u16 n                      n transactions in a row that succeeded and said nothing
 *   0x80 | flags · parts              one transaction that said something:
 *     0x01 failed                     u8 length, code · u16 length, message
 *     0x02 has a result               u32 length, canonical value
 *     0x04 has events                 u16 count, and for each:
 *                                     u8 length, `<module>.<name>` · u32 length, value
 *
 * I52. Decoding what was encoded gives every outcome back, and `txCount` of them. There is one encoding of
 *      them (a run begins where none ends, or after one of 65,535; no part is empty, and who failed has
 *      no other): anything else is refused, before memory is taken for more than `txCount`.
 */
import { utf8, Writer } from '../bytes.ts';
import type { SubmissionOutcomes } from '../messages.ts';
import { transactionId } from './submission.ts';
import { readU16, readU32 } from './submission-reader.ts';
import { readText } from './text-reader.ts';
import { decodeValue } from './value-reader.ts';
import { writeValue, type Value } from './values.ts';

const SAID = 0x80;
const FAILED = 1;
const RESULT = 2;
const EVENTS = 4;
const RUN_MAX = 0xffff;
const CODE_BYTES_MAX = 64;
const EVENT_NAME_BYTES_MAX = 255;
/** Of a module, that are remembered in their encoded form. */
const EVENT_NAMES_MAX = 256;
const MESSAGE_BYTES_MAX = 1024;

export interface ReceiptEvent {
  /** The module that emitted it: of a transaction that calls other modules, not always its own. */
  readonly module: string;
  readonly name: string;
  readonly data: Value;
}

/** The receipt that clients get, as in the interface description. */
export interface Receipt {
  /** `<submission id>-<index in the submission>` */
  readonly id: string;
  readonly height: number;
  /** Place of the transaction in its block. */
  readonly index: number;
  readonly status: 'ok' | 'failed';
  readonly result?: Value;
  readonly error?: { readonly code: string; readonly message: string };
  readonly events: readonly ReceiptEvent[];
}

const scratch = new Writer(256);

/** Collects the outcomes of one submission, in order. */
export class OutcomeWriter {
  readonly #writer = new Writer(1024);
  #run = 0;
  #flags = 0;

  start(): void {
    this.#writer.reset();
    this.#run = 0;
  }

  /** The commonest outcome: no result, no events. */
  plain(): void {
    if (++this.#run === RUN_MAX) this.#endRun();
  }

  /**
   * An outcome for `add` to write; how many bytes it has. Throws NotAValue when the result or an event has
   * no canonical form.
   */
  ok(result: Value | undefined, events: readonly ReceiptEvent[]): number {
    scratch.reset();
    let flags = SAID;
    if (result !== undefined) {
      flags |= RESULT;
      writeSized(scratch, result);
    }
    if (events.length > 0) {
      flags |= EVENTS;
      writeEvents(scratch, events);
    }
    this.#flags = flags;
    return 1 + scratch.length;
  }

  /** The same for a failure. */
  failed(code: string, message: string): number {
    const codeBytes = shortened(code, CODE_BYTES_MAX);
    const messageBytes = shortened(message, MESSAGE_BYTES_MAX);
    scratch.reset();
    scratch.u8(codeBytes.length).raw(codeBytes).u16(messageBytes.length).raw(messageBytes);
    this.#flags = SAID | FAILED;
    return 1 + scratch.length;
  }

  /** Writes what was said last. */
  add(): void {
    if (this.#flags === SAID) return this.plain();
    this.#endRun();
    this.#writer.u8(this.#flags).raw(scratch.view());
  }

  /** The outcomes since `start`. */
  take(): Uint8Array {
    this.#endRun();
    return this.#writer.take();
  }

  #endRun(): void {
    if (this.#run > 0) this.#writer.u8(0).u16(this.#run);
    this.#run = 0;
  }
}

function writeEvents(writer: Writer, events: readonly ReceiptEvent[]): void {
  writer.u16(events.length);
  for (const { module, name, data } of events) {
    const bytes = eventName(module, name);
    writer.u8(bytes.length).raw(bytes);
    writeSized(writer, data);
  }
}

/** By module, then by name: those that modules declare, which are few. */
const eventNames = new Map<string, Map<string, Uint8Array>>();

function eventName(module: string, name: string): Uint8Array {
  let names = eventNames.get(module);
  if (names === undefined) eventNames.set(module, (names = new Map()));
  let bytes = names.get(name);
  if (bytes === undefined) {
    bytes = shortened(`${module}.${name}`, EVENT_NAME_BYTES_MAX);
    if (names.size < EVENT_NAMES_MAX) names.set(name, bytes);
  }
  return bytes;
}

const sized = new Writer(1024);

function writeSized(writer: Writer, value: Value): void {
  sized.reset();
  writeValue(sized, value);
  writer.bytes(sized.view());
}

/** UTF-8 of at most `max` bytes, cut between characters. */
function shortened(text: string, max: number): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length <= max) return bytes;
  let end = max;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

type Outcome = Omit<Receipt, 'id' | 'height' | 'index'>;
const PLAIN: Outcome = { status: 'ok', events: [] };

/** One receipt for each transaction of the submission; null when the bytes are not receipts. */
export function decodeReceipts(receipts: SubmissionOutcomes): Receipt[] | null {
  const outcomes = new OutcomeReader(receipts.encoded).all(receipts.txCount);
  if (outcomes === null) return null;
  return outcomes.map((outcome, at) => ({
    id: transactionId(receipts.id, at),
    height: receipts.height,
    index: receipts.index + at,
    ...outcome,
  }));
}

class OutcomeReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #bad = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  all(count: number): Outcome[] | null {
    const outcomes: Outcome[] = [];
    let run = RUN_MAX;
    while (this.#at < this.#bytes.length && !this.#bad) {
      const tag = this.#int(1);
      const left = count - outcomes.length;
      if (tag === 0) {
        if (run < RUN_MAX) return null;
        run = this.#int(2);
        if (run === 0 || run > left) return null;
        for (let more = run; more > 0; more--) outcomes.push(PLAIN);
      } else {
        if (left === 0) return null;
        run = RUN_MAX;
        outcomes.push(this.#outcome(tag ^ SAID));
      }
    }
    return this.#bad || outcomes.length !== count ? null : outcomes;
  }

  #outcome(flags: number): Outcome {
    if (flags === FAILED) {
      const code = this.#text(this.#int(1, CODE_BYTES_MAX));
      const message = this.#text(this.#int(2, MESSAGE_BYTES_MAX));
      return { status: 'failed', error: { code, message }, events: [] };
    }
    if (flags === 0 || (flags & ~(RESULT | EVENTS)) !== 0) this.#bad = true;
    const result = (flags & RESULT) === 0 ? {} : { result: this.#value() };
    return { status: 'ok', ...result, events: (flags & EVENTS) === 0 ? [] : this.#events() };
  }

  #events(): ReceiptEvent[] {
    const events: ReceiptEvent[] = [];
    let count = this.#int(2);
    if (count === 0) this.#bad = true;
    for (; count > 0 && !this.#bad; count--) {
      const name = this.#text(this.#int(1));
      const dot = name.indexOf('.');
      if (dot < 0) this.#bad = true;
      const data = this.#value();
      events.push({ module: name.slice(0, dot), name: name.slice(dot + 1), data });
    }
    return events;
  }

  /** The start of the next `length` bytes; marks the input bad when they are not there. */
  #skip(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) this.#bad = true;
    return at;
  }

  #int(size: 1 | 2 | 4, max = Infinity): number {
    const at = this.#skip(size);
    if (this.#bad) return 0;
    const bytes = this.#bytes;
    const value = size === 1 ? bytes[at]! : size === 2 ? readU16(bytes, at) : readU32(bytes, at);
    if (value > max) this.#bad = true;
    return value;
  }

  #text(length: number): string {
    const at = this.#skip(length);
    const text = this.#bad ? undefined : readText(this.#bytes, at, at + length);
    if (text === undefined) this.#bad = true;
    return text ?? '';
  }

  #value(): Value {
    const length = this.#int(4);
    const at = this.#skip(length);
    const value = this.#bad ? undefined : decodeValue(this.#bytes, at, at + length);
    if (value === undefined) this.#bad = true;
    return value ?? null;
  }
}
