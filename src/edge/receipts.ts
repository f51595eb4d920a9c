/**
 * Receipts as clients read them. A submission of a thousand transactions that simply succeeded comes
 * as three bytes (protocols/transaction/receipts.ts), and its JSON is written straight from them.
 */
import { Writer } from '../../protocols/bytes.ts';
import type { SubmissionOutcomes } from '../../protocols/messages.ts';
import { decodeReceipts, type Receipt } from '../../protocols/transaction/receipts.ts';
import { toJson } from './representation.ts';

/** Beside the receipts: what is known of the submission as a whole. */
export interface Answered {
  /** Null where the question was not asked: a receipt that is looked up later. */
  readonly exactlyOnce: boolean | null;
}

/** The node's own log holds what it cannot read: our bug, or a version that it does not know. */
class UnreadableReceipts extends Error {
  override readonly name = 'UnreadableReceipts';
}

export function decodeAll(receipts: SubmissionOutcomes): Receipt[] {
  const decoded = decodeReceipts(receipts);
  if (decoded === null) throw new UnreadableReceipts(`receipts of submission ${receipts.id}`);
  return decoded;
}

/** `{id, height, exactlyOnce?, receipts: […]}` */
export function receiptsView(receipts: SubmissionOutcomes, { exactlyOnce }: Answered): object {
  return {
    id: receipts.id,
    height: receipts.height,
    ...(exactlyOnce === null ? {} : { exactlyOnce }),
    receipts: decodeAll(receipts),
  };
}

/** The same as JSON text. */
export function receiptsJson(receipts: SubmissionOutcomes, { exactlyOnce }: Answered): string {
  const once = exactlyOnce === null ? '' : `,"exactlyOnce":${exactlyOnce}`;
  const each = allPlain(receipts) ? plainReceipts(receipts) : decodedReceipts(receipts);
  return `{"id":"${receipts.id}","height":${receipts.height}${once},"receipts":[${each}]}`;
}

/** One run of outcomes without result, events or error covers them all. */
function allPlain({ encoded, txCount }: SubmissionOutcomes): boolean {
  const [tag = 1, high = 0, low = 0] = encoded;
  return encoded.length === 3 && tag === 0 && ((high << 8) | low) === txCount;
}

function plainReceipts({ id, height, index, txCount }: SubmissionOutcomes): string {
  const start = `{"id":"${id}-`;
  const middle = `","height":${height},"index":`;
  const end = ',"status":"ok","events":[]}';
  let text = '';
  for (let at = 0; at < txCount; at++) {
    text += (at === 0 ? start : `,${start}`) + at + middle + (index + at) + end;
  }
  return text;
}

function decodedReceipts(receipts: SubmissionOutcomes): string {
  return decodeAll(receipts).map(toJson).join(',');
}

/**
 * For clients that decode receipts themselves: 32 bytes submission id, u64 height, u32 index,
 * u32 number of transactions, then the compact outcomes.
 */
export function receiptsBytes(receipts: SubmissionOutcomes): Uint8Array {
  return new Writer(48 + receipts.encoded.length)
    .hex(receipts.id)
    .i54(receipts.height)
    .u32(receipts.index)
    .u32(receipts.txCount)
    .raw(receipts.encoded)
    .take();
}
