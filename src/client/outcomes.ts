/** The compact form in which nodes answer a submission: src/edge/receipts.ts writes it. */
import { toHex } from '../../protocols/bytes.ts';
import type { SubmissionOutcomes } from '../../protocols/submission-receipts.ts';
import { readU32, readU53 } from '../../protocols/transaction/submission-reader.ts';
import type { Digest } from '../../protocols/types.ts';

const HEAD_BYTES = 48;

/** Null when the bytes are too few. */
export function readOutcomes(bytes: Uint8Array): SubmissionOutcomes | null {
  if (bytes.length < HEAD_BYTES) return null;
  return {
    id: toHex(bytes.subarray(0, 32)) as Digest,
    height: readU53(bytes, 32),
    index: readU32(bytes, 40),
    txCount: readU32(bytes, 44),
    encoded: bytes.subarray(HEAD_BYTES),
  };
}
