/**
 * The stream `transaction`: the receipts of each block that executed submissions, so that any
 * submission's are found by its id as long as the log is kept.
 *
 * Position n is the n-th such block of the chain. Blocks without submissions have no event: an idle
 * cluster writes nothing here. The numbering follows from the chain, so that a node that executes it
 * again after a restart knows which events stand in the log already, and continues where they end.
 */
import { struct, u53 } from '../codec.ts';
import { InvariantViolation, type LogEvent } from '../machine.ts';
import type { SubmissionReceipts } from '../messages.ts';
import { digest } from '../structures.ts';
import type { Digest } from '../types.ts';
import { packStructure, unpackStructure } from '../wire.ts';
import type { BlockResult } from './execution.ts';
import { packReceipts, readReceipts } from './receipt-records.ts';

export const RECEIPTS_STREAM = 'transaction';
const KIND = 'receipts';
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
    body: packReceipts(receipts),
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
  #numbered: number;
  #head: ReceiptsHeader | null = null;

  /** @param busyBlocks of the chain before the first block that is recorded */
  constructor(busyBlocks = 0) {
    this.#numbered = busyBlocks;
  }

  /** Blocks of the chain so far that have an event. */
  get busyBlocks(): number {
    return this.#numbered;
  }

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
  readonly #event: LogEvent;
  readonly #height: number;
  /** Where in the event the next ones begin. */
  at = 0;

  /** Throws InvariantViolation. */
  constructor(event: LogEvent) {
    this.#event = event;
    this.#height = readReceiptsHeader(event).height;
  }

  /** The next submission's; null after the last. Throws InvariantViolation. */
  next(): SubmissionReceipts | null {
    const { seq, body = new Uint8Array(0) } = this.#event;
    if (this.at >= body.length) return null;
    const read = readReceipts(body, this.at, this.#height);
    if (read === null) {
      throw new InvariantViolation('log_unreadable', `${RECEIPTS_STREAM}/${seq}: cut short`);
    }
    this.at = read.end;
    return read.receipts;
  }
}

/** The receipts of one submission in an event that `findLog` found; null when it is not there. */
export function findReceipts(event: LogEvent, id: Digest): SubmissionReceipts | null {
  for (const receipts of receiptsIn(event)) if (receipts.id === id) return receipts;
  return null;
}

/** All receipts in an event of the stream, in the order of execution. Throws InvariantViolation. */
export function* receiptsIn(event: LogEvent): Iterable<SubmissionReceipts> {
  const cursor = new ReceiptsCursor(event);
  for (let next = cursor.next(); next !== null; next = cursor.next()) yield next;
}
