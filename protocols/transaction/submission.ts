/**
 * Submissions: what a client, or a node for a caller without a key, asks the cluster to execute. One
 * signature covers one or many transactions (rule E2). This file writes their canonical bytes, for
 * clients and edges; submission-reader.ts reads them.
 *
 *   text  "althing/v1/submission"      (u32 length first, like everything that is signed)
 *   32    cluster id
 *   u8    0 client, 1 node
 *         client: 32 client key · u64 seq
 *         node:   32 node key · u16 length, principal (UTF-8) · u8 length, idempotency key
 *   u64   validUntil, milliseconds
 *   u16   number of transactions, and for each of them:
 *         u8 length, module · u8 length, command · u32 length, arguments (canonical value)
 *   64    Ed25519 signature over all that stands before it
 *
 * A submission's id is the BLAKE3 of the signed bytes; transaction `i` of it is `<id>-<i>`.
 *
 * The signature of a node submission may be absent (0 bytes): it is then admissible only in the lane
 * of the node that it names, where the owner's signature on the batch header covers it (E3).
 */
import { utf8, Writer } from '../bytes.ts';
import type { Crypto, Signer } from '../crypto.ts';
import type { Digest, Millis, PublicKey } from '../types.ts';
import { writeValue, type Value } from './values.ts';

export const SUBMISSION_TAG = 'althing/v1/submission';
export const SIGNATURE_BYTES = 64;
export const NAME_BYTES_MAX = 255;
export const PRINCIPAL_BYTES_MAX = 256;
export const IDEMPOTENCY_KEY_BYTES_MAX = 255;
/** What the count of transactions can say; ConsensusLimits bounds it further. */
const COUNT_MAX = 0xffff;

/** One command of one module, with its arguments. */
export interface Call {
  readonly module: string;
  readonly command: string;
  readonly args: Value;
}

interface SubmissionBase {
  readonly clusterId: Digest;
  /** Block time after which it is not executed any more (E2). */
  readonly validUntil: Millis;
  /** At least one. They execute in order; each succeeds or fails alone. */
  readonly transactions: readonly Call[];
}

/** Signed by the client's own key: its sender is `key:<key>`. */
export interface ClientSubmission extends SubmissionBase {
  readonly kind: 'client';
  readonly key: PublicKey;
  /** Unique per client key while valid, 0 … 2^53 − 1; newest − oldest unanswered < 1024 (E2). */
  readonly seq: number;
}

/** Vouched for by the node that took it: its sender is `principal:<principal>` (E3). */
export interface NodeSubmission extends SubmissionBase {
  readonly kind: 'node';
  /** The node's key. */
  readonly key: PublicKey;
  readonly principal: string;
  /** The caller's Idempotency-Key as UTF-8, or a nonce (idempotency.ts); 1 to 255 bytes. */
  readonly idempotencyKey: Uint8Array;
}

export type SubmissionContent = ClientSubmission | NodeSubmission;

const scratch = new Writer(4096);

/**
 * The signed bytes of a submission: what its id is the hash of, and what `signSubmission` or
 * `attachSignature` completes. Throws NotAValue when an argument has no canonical form, and
 * RangeError when a field is out of bounds.
 */
export function encodeSubmission(content: SubmissionContent): Uint8Array {
  const count = content.transactions.length;
  expect(count >= 1 && count <= COUNT_MAX, `transactions: 1 to ${COUNT_MAX}, not ${count}`);
  scratch.reset().text(SUBMISSION_TAG).hex(content.clusterId);
  writeSender(scratch, content);
  writeU53(scratch, content.validUntil, 'validUntil');
  scratch.u16(count);
  for (const call of content.transactions) writeCall(scratch, call);
  return scratch.take();
}

/** How many bytes the call takes in a submission. Throws as `encodeSubmission` does. */
export function callBytes(call: Call): number {
  writeCall(scratch.reset(), call);
  return scratch.length;
}

/** The complete submission, with the signature of `signer`, whose key `content.key` must be. */
export function signSubmission(content: SubmissionContent, signer: Signer): Uint8Array {
  expect(content.key === signer.publicKey, 'key: not the key of the signer');
  const signed = encodeSubmission(content);
  return attachSignature(signed, signer.sign(signed));
}

/** Signed bytes and their 64-byte signature, made elsewhere, as one complete submission. */
export function attachSignature(signed: Uint8Array, signature: Uint8Array): Uint8Array {
  expect(signature.length === SIGNATURE_BYTES, `signature: ${SIGNATURE_BYTES} bytes`);
  const bytes = new Uint8Array(signed.length + SIGNATURE_BYTES);
  bytes.set(signed);
  bytes.set(signature, signed.length);
  return bytes;
}

/** The id of a submission, from its signed bytes (without the signature). */
export function submissionId(crypto: Crypto, signed: Uint8Array): Digest {
  return crypto.hash(signed);
}

export function transactionId(submission: Digest, index: number): string {
  return `${submission}-${index}`;
}

const TRANSACTION_ID = /^([0-9a-f]{64})-(0|[1-9][0-9]{0,4})$/;

/** Which transaction of which submission an id names; null when it is not a transaction's id. */
export function parseTransactionId(id: string): { submission: Digest; index: number } | null {
  const match = TRANSACTION_ID.exec(id);
  return match === null ? null : { submission: match[1] as Digest, index: Number(match[2]) };
}

function writeSender(writer: Writer, content: SubmissionContent): void {
  writer.u8(content.kind === 'client' ? 0 : 1).hex(content.key);
  if (content.kind === 'client') return writeU53(writer, content.seq, 'seq');
  const principal = utf8(content.principal);
  const { length } = content.idempotencyKey;
  expect(
    principal.length >= 1 && principal.length <= PRINCIPAL_BYTES_MAX,
    `principal: 1 to ${PRINCIPAL_BYTES_MAX} bytes`,
  );
  expect(
    length >= 1 && length <= IDEMPOTENCY_KEY_BYTES_MAX,
    `idempotencyKey: 1 to ${IDEMPOTENCY_KEY_BYTES_MAX} bytes`,
  );
  writer.u16(principal.length).raw(principal).u8(length).raw(content.idempotencyKey);
}

function writeU53(writer: Writer, value: number, field: string): void {
  expect(Number.isSafeInteger(value) && value >= 0, `${field}: an integer from 0 to 2^53 - 1`);
  writer.i54(value);
}

function writeCall(writer: Writer, call: Call): void {
  writeName(writer, call.module, 'module');
  writeName(writer, call.command, 'command');
  argument.reset();
  writeValue(argument, call.args);
  writer.bytes(argument.view());
}

const argument = new Writer(4096);

function writeName(writer: Writer, name: string, field: string): void {
  const bytes = nameBytes(name);
  expect(
    bytes.length >= 1 && bytes.length <= NAME_BYTES_MAX,
    `${field}: 1 to ${NAME_BYTES_MAX} bytes`,
  );
  writer.u8(bytes.length).raw(bytes);
}

/** Most submissions name one command many times. */
let lastName = '';
let lastNameBytes = new Uint8Array(0);

function nameBytes(name: string): Uint8Array {
  if (name === lastName) return lastNameBytes;
  lastNameBytes = utf8(name) as Uint8Array<ArrayBuffer>;
  lastName = name;
  return lastNameBytes;
}

function expect(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(message);
}
