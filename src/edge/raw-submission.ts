/**
 * The few fixed places of a submission's canonical bytes (protocols/transaction/submission.ts) that
 * an edge looks at without decoding it. All else is checked where submissions are admitted.
 */
import { SIGNATURE_BYTES, SUBMISSION_TAG } from '../../protocols/transaction/submission.ts';

const TAG_AT = 4 + SUBMISSION_TAG.length;
const KIND_AT = TAG_AT + 32;
const CLIENT_COUNT_AT = KIND_AT + 1 + 32 + 8 + 8;
const CLIENT = 0;

/** False also for what is no submission at all. */
export function isClientSubmission(bytes: Uint8Array): boolean {
  return bytes.length > CLIENT_COUNT_AT + 2 + SIGNATURE_BYTES && bytes[KIND_AT] === CLIENT;
}

/** Transactions that a client submission says it has. */
export function clientTxCount(bytes: Uint8Array): number {
  return ((bytes[CLIENT_COUNT_AT] ?? 0) << 8) | (bytes[CLIENT_COUNT_AT + 1] ?? 0);
}

/** The command of a client submission of one transaction; null of any other. */
export function soleCommand(
  bytes: Uint8Array,
): { readonly module: string; readonly command: string } | null {
  if (!isClientSubmission(bytes) || clientTxCount(bytes) !== 1) return null;
  const module = nameAt(bytes, CLIENT_COUNT_AT + 2);
  const command = nameAt(bytes, module.end);
  return { module: module.text, command: command.text };
}

function nameAt(bytes: Uint8Array, at: number): { readonly text: string; readonly end: number } {
  const end = at + 1 + (bytes[at] ?? 0);
  return { text: new TextDecoder().decode(bytes.subarray(at + 1, end)), end };
}

/** What a client submission's id is the hash of. */
export function signedPart(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
}
