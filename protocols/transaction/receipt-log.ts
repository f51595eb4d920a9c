/**
 * The stream `transaction`: the receipts of each block that executed submissions, so that any
 * submission's are found by its id as long as the log is kept.
 *
 * Position n is the n-th such block of the chain. Blocks without submissions have no event: an idle
 * cluster writes nothing here. The numbering follows from the chain, so that a node that executes it
 * again after a restart knows which events stand in the log already, and continues where they end.
 */
import { fromHex, toHex, Writer } from '../bytes.ts';
import { struct, u53 } from '../codec.ts';
import { InvariantViolation, type LogEvent } from '../machine.ts';
import type { SubmissionReceipts } from '../messages.ts';
import { digest } from '../structures.ts';
import type { Digest } from '../types.ts';
import { packStructure, unpackStructure } from '../wire.ts';
import type { BlockResult } from './executor.ts';
import { readU32 } from './submission-reader.ts';

export const RECEIPTS_STREAM = 'transaction';
const KIND = 'receipts';
const ID_BYTES = 32;
/** id, index, number of transactions, length of the outcomes */
const HEAD_BYTES = ID_BYTES + 12;

export interface ReceiptsHeader {
  readonly height: number;
  readonly receiptsRoot: Digest;
  readonly submissions: number;
  /** Executed in this block. */
  readonly transactions: number;
}

const header = struct<ReceiptsHeader>({
  height: u53,
  receiptsRoot: digest,
  submissions: u53,
  transactions: u53,
});

function receiptsEvent(seq: number, result: BlockResult): LogEvent {
  const { receipts } = result;
  let size = 0;
  for (const { encoded } of receipts) size += HEAD_BYTES + encoded.length;
  const body = new Writer(size);
  for (const each of receipts) {
    body.hex(each.id).u32(each.index).u32(each.txCount).bytes(each.encoded);
  }
  return {
    stream: RECEIPTS_STREAM,
    seq,
    kind: KIND,
    header: packStructure(header, {
      height: result.block.height,
      receiptsRoot: result.receiptsRoot,
      submissions: receipts.length,
      transactions: result.txCount,
    }),
    body: body.take(),
    keys: receipts.map(({ id }) => id),
  };
}

/** What an event of the stream says beside the receipts. Throws InvariantViolation. */
export function readReceiptsHeader(event: LogEvent): ReceiptsHeader {
  const read = unpackStructure(header, event.header);
  if (event.kind !== KIND || !read.ok) {
    const why = read.ok ? `kind ${event.kind}` : read.error;
    throw new InvariantViolation('log_unreadable', `${RECEIPTS_STREAM}/${event.seq}: ${why}`);
  }
  return read.value;
}

/** Which events of the stream stand in the log, and which come next. */
export class ReceiptLog {
  /** Events in the log, and blocks of this chain so far that have one. */
  #stored = 0;
  #numbered = 0;
  #head: ReceiptsHeader | null = null;

  /** The last event of the log. */
  recover(event: LogEvent): void {
    this.#stored = event.seq + 1;
    this.#head = readReceiptsHeader(event);
  }

  /** Height of the last event that stood in the log at the start: executed before the restart. */
  get storedHeight(): number {
    return this.#head?.height ?? 0;
  }

  /** The event to append for this block; none when the log has it. Throws InvariantViolation. */
  record(result: BlockResult): LogEvent | null {
    if (result.receipts.length === 0) return null;
    const seq = this.#numbered++;
    if (seq >= this.#stored) return receiptsEvent(seq, result);
    if (seq === this.#stored - 1) this.#compare(seq, result);
    return null;
  }

  /** The newest stored event must say what executing the chain again gave. */
  #compare(seq: number, { block, receiptsRoot }: BlockResult): void {
    const head = this.#head;
    if (head?.height === block.height && head.receiptsRoot === receiptsRoot) return;
    throw new InvariantViolation(
      'log_diverged',
      `the log has receipts ${head?.receiptsRoot} of height ${head?.height} at ${RECEIPTS_STREAM}/${seq}; ` +
        `executing the chain again gave ${receiptsRoot} at height ${block.height}`,
    );
  }
}

/** Goes through the receipts of an event of the stream. */
export class ReceiptsCursor {
  readonly height: number;
  readonly #body: Uint8Array;
  /** Where the next ones begin. */
  at = 0;

  /** Throws InvariantViolation. */
  constructor(event: LogEvent) {
    this.height = readReceiptsHeader(event).height;
    this.#body = event.body ?? new Uint8Array(0);
  }

  /** Passes over those of other submissions than `wanted`; whether the next ones are its. */
  seek(wanted: Uint8Array): boolean {
    for (let end = this.#end(); end !== null; end = this.#end()) {
      if (startsWith(this.#body, this.at, wanted)) return true;
      this.at = end;
    }
    return false;
  }

  /** The next submission's; null after the last. */
  next(): SubmissionReceipts | null {
    const body = this.#body;
    const at = this.at;
    const end = this.#end();
    if (end === null) return null;
    this.at = end;
    return {
      id: toHex(body.subarray(at, at + ID_BYTES)) as Digest,
      height: this.height,
      index: readU32(body, at + ID_BYTES),
      txCount: readU32(body, at + ID_BYTES + 4),
      encoded: body.slice(at + HEAD_BYTES, end),
    };
  }

  /** Where the next ones end; null when there are none. */
  #end(): number | null {
    const start = this.at + HEAD_BYTES;
    if (start > this.#body.length) return null;
    const end = start + readU32(this.#body, start - 4);
    return end > this.#body.length ? null : end;
  }
}

/** The receipts of one submission in an event that `findLog` found; null when it is not there. */
export function findReceipts(event: LogEvent, id: Digest): SubmissionReceipts | null {
  const cursor = new ReceiptsCursor(event);
  return cursor.seek(fromHex(id)) ? cursor.next() : null;
}

function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < ID_BYTES; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
