/**
 * Reads submissions over the bytes they came in (submission.ts), without copying any of them. What
 * the header says is read at once; transactions are walked once for their form and limits, and
 * decoded where they execute.
 *
 * I41. `parse` is a pure function of the bytes, the cluster id and the limits of the genesis: every
 *      node admits and refuses the same submissions.
 */
import { toHex, Writer } from '../bytes.ts';
import type { ConsensusLimits } from '../genesis.ts';
import type { Digest, Millis, PublicKey } from '../types.ts';
import { refusal, type Refusal } from './refusals.ts';
import {
  IDEMPOTENCY_KEY_BYTES_MAX,
  PRINCIPAL_BYTES_MAX,
  SIGNATURE_BYTES,
  SUBMISSION_TAG,
} from './submission.ts';
import { readText } from './text-reader.ts';

const CLUSTER_ID_BYTES = 32;
const KEY_BYTES = 32;
const TWO_32 = 0x1_0000_0000;

/** A well-formed submission of this cluster. Nothing about its signature is known yet. */
export class Submission {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Where the bytes that its signature and its id cover end. */
  readonly signedEnd: number;
  readonly end: number;
  readonly kind: 'client' | 'node';
  readonly key: PublicKey;
  /** The client's sequence number; −1 for a node submission. */
  readonly seq: number;
  /** Empty for a client submission. */
  readonly principal: string;
  readonly idempotencyKey: Uint8Array;
  readonly validUntil: Millis;
  readonly txCount: number;
  /** Where the first transaction starts. */
  readonly callsStart: number;

  constructor(bytes: Uint8Array, start: number, head: Head, signedEnd: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.signedEnd = signedEnd;
    this.end = end;
    this.kind = head.kind;
    this.key = head.key;
    this.seq = head.seq;
    this.principal = head.principal;
    this.idempotencyKey = head.idempotencyKey;
    this.validUntil = head.validUntil;
    this.txCount = head.txCount;
    this.callsStart = head.callsStart;
  }

  /** What the signature covers. */
  signed(): Uint8Array {
    return this.bytes.subarray(this.start, this.signedEnd);
  }

  /** 64 bytes, or none. */
  signature(): Uint8Array {
    return this.bytes.subarray(this.signedEnd, this.end);
  }

  /** The transactions alone: what must be the same when an idempotency key is used again (E3). */
  content(): Uint8Array {
    return this.bytes.subarray(this.callsStart, this.signedEnd);
  }
}

interface Head {
  readonly kind: 'client' | 'node';
  readonly key: PublicKey;
  readonly seq: number;
  readonly principal: string;
  readonly idempotencyKey: Uint8Array;
  readonly validUntil: Millis;
  readonly txCount: number;
  readonly callsStart: number;
}

const NO_BYTES = new Uint8Array(0);
const EXPECTED_FORM = refusal('malformed', 'not a submission: docs/http.md says how one is signed');

export class SubmissionReader {
  /** The tag and the cluster id: how every submission of this cluster begins. */
  readonly #prefix: Uint8Array;
  readonly #tagBytes: number;
  readonly #limits: ConsensusLimits;

  constructor(clusterId: Digest, limits: ConsensusLimits) {
    this.#prefix = new Writer(64).text(SUBMISSION_TAG).hex(clusterId).take();
    this.#tagBytes = this.#prefix.length - CLUSTER_ID_BYTES;
    this.#limits = limits;
  }

  /** The submission that fills `bytes[start, end)`, or why it is none. Never throws. */
  parse(bytes: Uint8Array, start = 0, end: number = bytes.length): Submission | Refusal {
    const max = this.#limits.submissionBytesMax;
    if (end - start > max) return refusal('too_large', `a submission has at most ${max} bytes`);
    const prefix = this.#checkPrefix(bytes, start, end);
    if (prefix !== null) return prefix;
    const head = readHead(bytes, start + this.#prefix.length, end);
    if (head === null) return EXPECTED_FORM;
    const countMax = this.#limits.transactionsPerSubmissionMax;
    if (head.txCount < 1 || head.txCount > countMax) {
      return refusal('too_large', `a submission has 1 to ${countMax} transactions`);
    }
    return this.#complete(bytes, start, end, head);
  }

  #checkPrefix(bytes: Uint8Array, start: number, end: number): Refusal | null {
    const prefix = this.#prefix;
    if (end - start < prefix.length) return EXPECTED_FORM;
    for (let i = 0; i < prefix.length; i++) {
      if (bytes[start + i] === prefix[i]) continue;
      if (i < this.#tagBytes) return EXPECTED_FORM;
      return refusal('wrong_cluster', 'the submission names another cluster id');
    }
    return null;
  }

  #complete(bytes: Uint8Array, start: number, end: number, head: Head): Submission | Refusal {
    const max = this.#limits.transactionBytesMax;
    let at = head.callsStart;
    for (let i = 0; i < head.txCount; i++) {
      const next = skipCall(bytes, at, end);
      if (next < 0) return EXPECTED_FORM;
      if (next - at > max) return refusal('too_large', `a transaction has at most ${max} bytes`);
      at = next;
    }
    const unsigned = at === end && head.kind === 'node';
    if (!unsigned && end - at !== SIGNATURE_BYTES) return EXPECTED_FORM;
    return new Submission(bytes, start, head, at, end);
  }
}

function readHead(bytes: Uint8Array, start: number, end: number): Head | null {
  if (end - start < 1 + KEY_BYTES) return null;
  const tag = bytes[start]!;
  if (tag > 1) return null;
  const afterKey = start + 1 + KEY_BYTES;
  const key = toHex(bytes.subarray(start + 1, afterKey)) as PublicKey;
  return tag === 0 ? readClient(bytes, afterKey, end, key) : readNode(bytes, afterKey, end, key);
}

function readClient(bytes: Uint8Array, at: number, end: number, key: PublicKey): Head | null {
  if (end - at < 18) return null;
  const seq = readU53(bytes, at);
  const validUntil = readU53(bytes, at + 8);
  if (seq < 0 || validUntil < 0) return null;
  return {
    kind: 'client',
    key,
    seq,
    principal: '',
    idempotencyKey: NO_BYTES,
    validUntil,
    txCount: readU16(bytes, at + 16),
    callsStart: at + 18,
  };
}

function readNode(bytes: Uint8Array, at: number, end: number, key: PublicKey): Head | null {
  if (end - at < 2) return null;
  const principalEnd = at + 2 + readU16(bytes, at);
  if (principalEnd + 1 > end || principalEnd - at - 2 > PRINCIPAL_BYTES_MAX) return null;
  const principal = readText(bytes, at + 2, principalEnd);
  if (principal === undefined || principal === '') return null;
  const keyLength = bytes[principalEnd]!;
  const keyEnd = principalEnd + 1 + keyLength;
  if (keyLength < 1 || keyLength > IDEMPOTENCY_KEY_BYTES_MAX || end - keyEnd < 10) return null;
  const validUntil = readU53(bytes, keyEnd);
  if (validUntil < 0) return null;
  return {
    kind: 'node',
    key,
    seq: -1,
    principal,
    idempotencyKey: bytes.subarray(principalEnd + 1, keyEnd),
    validUntil,
    txCount: readU16(bytes, keyEnd + 8),
    callsStart: keyEnd + 10,
  };
}

/** Where the call that starts at `at` ends; −1 when it does not fit before `end`. */
function skipCall(bytes: Uint8Array, at: number, end: number): number {
  const moduleLength = at < end ? bytes[at]! : 0;
  const commandAt = at + 1 + moduleLength;
  const commandLength = commandAt < end ? bytes[commandAt]! : 0;
  const argsAt = commandAt + 1 + commandLength;
  if (moduleLength === 0 || commandLength === 0 || argsAt + 4 > end) return -1;
  const next = argsAt + 4 + readU32(bytes, argsAt);
  return next <= end ? next : -1;
}

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

/** A 64-bit integer up to 2^53 − 1; −1 when it is larger. */
export function readU53(bytes: Uint8Array, at: number): number {
  const high = readU32(bytes, at);
  return high > 0x1f_ffff ? -1 : high * TWO_32 + readU32(bytes, at + 4);
}
