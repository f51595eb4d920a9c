/**
 * The receipts of a block as they stand in its event of the log, one after the other:
 *
 *   32 id · u32 index · u32 number of transactions · u16 length, sender · u8 length, key of `via`
 *   u32 length, calls (calls.ts) · u32 length, outcomes (receipts.ts)
 */
import { fromHex, toHex, utf8, Writer } from '../bytes.ts';
import type { SubmissionReceipts } from '../messages.ts';
import type { Digest } from '../types.ts';
import { readU16, readU32 } from './submission-reader.ts';
import { readText } from './text-reader.ts';

const ID_BYTES = 32;
const SENDER_AT = ID_BYTES + 8;

export function packReceipts(all: readonly SubmissionReceipts[]): Uint8Array {
  const writer = new Writer(64 + 192 * all.length);
  for (const { id, index, txCount, sender, via, calls, encoded } of all) {
    const senderBytes = utf8(sender);
    const viaBytes = fromHex(via);
    writer.hex(id).u32(index).u32(txCount);
    writer.u16(senderBytes.length).raw(senderBytes).u8(viaBytes.length).raw(viaBytes);
    writer.bytes(calls).bytes(encoded);
  }
  return writer.take();
}

/** The receipts at `at`, and where the next begin; null when the bytes end before they do. */
export function readReceipts(
  body: Uint8Array,
  at: number,
  height: number,
): { readonly receipts: SubmissionReceipts; readonly end: number } | null {
  if (at + SENDER_AT + 2 > body.length) return null;
  const sender = at + SENDER_AT + 2;
  const via = sender + readU16(body, sender - 2) + 1;
  if (via > body.length) return null;
  const calls = via + body[via - 1]! + 4;
  if (calls > body.length) return null;
  const encoded = calls + readU32(body, calls - 4) + 4;
  if (encoded > body.length) return null;
  const end = encoded + readU32(body, encoded - 4);
  if (end > body.length) return null;
  const receipts = {
    id: toHex(body.subarray(at, at + ID_BYTES)) as Digest,
    height,
    index: readU32(body, at + ID_BYTES),
    txCount: readU32(body, at + ID_BYTES + 4),
    sender: readText(body, sender, via - 1) ?? '',
    via: toHex(body.subarray(via, calls - 4)),
    calls: body.slice(calls, encoded - 4),
    encoded: body.slice(encoded, end),
  };
  return { receipts, end };
}
