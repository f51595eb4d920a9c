/**
 * Batch payloads: submissions one after the other, each with its length before it (u32). A Byzantine
 * lane owner can put anything there: what follows a length that does not fit is skipped, by every node
 * alike (I41).
 */
import { writeU32 } from './places.ts';
import { readU32 } from './submission-reader.ts';

export const LENGTH_BYTES = 4;

/** A payload without a submission: too short for a length, and not empty, which would be no body (F1). */
export const EMPTY_PAYLOAD_BYTES = 1;

export function emptyPayload(): Uint8Array {
  return new Uint8Array(EMPTY_PAYLOAD_BYTES);
}

/** The payload of these submissions; `total` is their bytes with a length each. */
export function buildPayload(submissions: readonly Uint8Array[], total: number): Uint8Array {
  const payload = new Uint8Array(total);
  let at = 0;
  for (const submission of submissions) {
    writeU32(payload, at, submission.length);
    payload.set(submission, at + LENGTH_BYTES);
    at += LENGTH_BYTES + submission.length;
  }
  return payload;
}

/** Goes through a payload; after `next()` the submission is `bytes[start, end)`. */
export class PayloadCursor {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** False at the end, and where the rest cannot be read. */
  next(): boolean {
    const start = this.end + LENGTH_BYTES;
    if (start > this.bytes.length) return false;
    const end = start + readU32(this.bytes, this.end);
    if (end > this.bytes.length) return false;
    this.start = start;
    this.end = end;
    return true;
  }
}
