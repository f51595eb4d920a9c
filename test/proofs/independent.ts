/**
 * A verifier of proofs written from docs/proofs.md, and from nothing else: it shares no code with the one
 * in protocols/proofs/. Throws with a reason.
 */
import { createPublicKey, verify } from 'node:crypto';
import { blake2b } from '@noble/hashes/blake2.js';
import { blake3 } from '@noble/hashes/blake3.js';

export interface Shown {
  /** Executed height that is certified. */
  readonly height: number;
  readonly claims: readonly Claim[];
}

/** Bytes as hex. */
export type Claim =
  | { readonly kind: 'row'; readonly table: string; readonly key: string; readonly row: string }
  | { readonly kind: 'absence'; readonly table: string; readonly key: string }
  | {
      readonly kind: 'receipts';
      readonly id: string;
      readonly height: number;
      readonly outcomes: string;
    };

interface Step {
  readonly prefix: Buffer;
  readonly suffix: Buffer;
}

const hash = (...parts: Uint8Array[]): Buffer =>
  Buffer.from(blake2b(Buffer.concat(parts), { dkLen: 32 }));
const documentHash = (...parts: Uint8Array[]): Buffer => Buffer.from(blake3(Buffer.concat(parts)));

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u32(bytes.length), bytes]);
};

class Cursor {
  at = 0;
  readonly bytes: Buffer;
  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
  }
  raw(length: number): Buffer {
    expect(this.at + length <= this.bytes.length, 'cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  u8(max: number): number {
    const value = this.raw(1)[0]!;
    expect(value <= max, `a byte of at most ${max}`);
    return value;
  }
  u16(): number {
    return this.raw(2).readUInt16BE();
  }
  u32(): number {
    return this.raw(4).readUInt32BE();
  }
  /** Down to −1 where `none` is allowed. */
  u64(none = false): number {
    const value = this.raw(8).readBigInt64BE();
    expect(value >= (none ? -1n : 0n) && value < 2n ** 53n, 'an integer below 2^53');
    return Number(value);
  }
  hash(): Buffer {
    return this.raw(32);
  }
  sized(exact?: number): Buffer {
    const length = this.u32();
    expect(exact === undefined || length === exact, `${exact} bytes`);
    return this.raw(length);
  }
  text(): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.sized());
  }
  list<T>(max: number, read: () => T): T[] {
    const count = this.u32();
    expect(count <= max, 'a shorter list');
    return Array.from({ length: count }, read);
  }
}

function readCertificate(cursor: Cursor) {
  const start = cursor.at;
  const kind = cursor.u8(1);
  const epoch = cursor.u64();
  cursor.u64();
  cursor.u64();
  const block = cursor.hash();
  cursor.u8(1);
  const signed = cursor.bytes.subarray(start, cursor.at);
  const votes = cursor.list(128, () => ({ validator: cursor.u64(), signature: cursor.sized(64) }));
  return { kind, epoch, block, signed, votes };
}

function skipJustify(cursor: Cursor): void {
  const kind = cursor.u8(2);
  if (kind === 0) readCertificate(cursor);
  if (kind !== 1) return;
  cursor.u64();
  cursor.u64();
  cursor.list(128, () => {
    cursor.u64();
    cursor.u64(true);
    cursor.u64(true);
    cursor.hash();
    cursor.sized(64);
  });
  if (cursor.u8(1) === 1) readCertificate(cursor);
}

function readHeader(cursor: Cursor) {
  const start = cursor.at;
  const epoch = cursor.u64();
  cursor.u64();
  cursor.u64();
  const parent = cursor.hash();
  skipJustify(cursor);
  cursor.list(128, () => {
    cursor.u64(true);
    cursor.hash();
  });
  cursor.u64();
  const executed = {
    height: cursor.u64(),
    stateRoot: cursor.hash(),
    receiptsRoot: cursor.hash(),
    pending: cursor.hash(),
  };
  if (cursor.u8(1) === 1) cursor.hash();
  return { epoch, parent, executed, bytes: cursor.bytes.subarray(start, cursor.at) };
}

const readSteps = (cursor: Cursor): Step[] =>
  cursor.list(256, () => ({ prefix: cursor.sized(), suffix: cursor.sized() }));

interface Document {
  readonly validators: readonly { readonly publicKey: string }[];
}

export function verifyIndependently(genesis: unknown, bytes: Uint8Array): Shown {
  const cursor = new Cursor(bytes);
  expect(cursor.text() === 'althing/v1/proof', 'not a proof');
  const clusterId = cursor.hash();
  expect(clusterId.equals(documentHash(Buffer.from(sorted(genesis)))), 'another cluster');
  const headers = cursor.list(64, () => readHeader(cursor));
  const certificate = readCertificate(cursor);
  const { executed } = headers[0] ?? { executed: null };
  expect(executed !== null && executed.height > 0, 'nothing is certified');
  const digests = headers.map((header) =>
    documentHash(text('althing/v1/block'), clusterId, header.bytes),
  );
  for (const [at, { parent, epoch }] of headers.entries()) {
    expect(epoch === 0, 'another epoch');
    expect(at === 0 || parent.equals(digests[at - 1]!), 'a broken chain');
  }
  expect(certificate.kind === 1 && certificate.epoch === 0, 'not a commit certificate');
  expect(certificate.block.equals(digests.at(-1)!), 'a certificate of another block');
  checkVotes((genesis as Document).validators, clusterId, certificate);
  const claims = cursor.list(256, () => readClaim(cursor, executed));
  expect(cursor.at === cursor.bytes.length, 'too long');
  return { height: executed.height, claims };
}

function checkVotes(
  validators: Document['validators'],
  clusterId: Buffer,
  { signed, votes }: ReturnType<typeof readCertificate>,
): void {
  const n = validators.length;
  const quorum = Math.ceil((n + Math.floor((n - 1) / 3) + 1) / 2);
  expect(new Set(votes.map(({ validator }) => validator)).size === votes.length, 'a vote twice');
  expect(votes.length >= quorum, 'too few votes');
  const message = Buffer.concat([text('althing/v1/vote'), clusterId, signed]);
  for (const { validator, signature } of votes) {
    const owner = validators[validator];
    expect(owner !== undefined, 'a stranger');
    const spki = Buffer.from(`302a300506032b6570032100${owner.publicKey}`, 'hex');
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify(null, message, key, signature), 'a signature that is not valid');
  }
}

function readClaim(cursor: Cursor, executed: { stateRoot: Buffer; receiptsRoot: Buffer }): Claim {
  const kind = cursor.u8(2);
  if (kind === 2) return readReceipts(cursor, executed.receiptsRoot);
  const table = cursor.text();
  const key = cursor.text();
  const path = hash(text(table), Buffer.from(key, 'utf8'));
  let child: Buffer;
  let row: Buffer = Buffer.alloc(0);
  if (kind === 0) {
    row = cursor.sized();
    child = Buffer.concat([Buffer.of(2), path, hash(Buffer.of(0), row)]);
  } else if (cursor.u8(1) === 0) child = Buffer.of(1);
  else {
    const other = cursor.sized(32);
    expect(!other.equals(path), 'a leaf of the key');
    child = Buffer.concat([Buffer.of(2), other, cursor.sized(32)]);
  }
  const root = climb(child, path, readSteps(cursor));
  expect(root.equals(executed.stateRoot), 'another state root');
  return kind === 0
    ? { kind: 'row', table, key, row: row.toString('hex') }
    : { kind: 'absence', table, key };
}

function climb(end: Buffer, path: Buffer, steps: readonly Step[]): Buffer {
  let child = end;
  for (const [at, { prefix, suffix }] of steps.entries()) {
    const depth = steps.length - 1 - at;
    const right = ((path[depth >> 3]! >> (7 - (depth & 7))) & 1) === 1;
    const sibling = right ? prefix.subarray(0, -1) : suffix;
    expect(sibling.length === [0, 1, 65, 33][sibling[0] ?? 0], 'a child that is not whole');
    expect((right ? suffix.length : prefix.length - 1) === 0, 'the wrong side');
    expect(prefix.at(-1) === child[0], 'another kind of child');
    child = Buffer.concat([Buffer.of(3), hash(prefix, child.subarray(1), suffix)]);
  }
  if (child[0] === 1) return Buffer.alloc(32);
  return child[0] === 3 ? child.subarray(1) : hash(child);
}

function readReceipts(cursor: Cursor, receiptsRoot: Buffer): Claim {
  const id = cursor.hash();
  const height = cursor.u64();
  const index = cursor.u64();
  const transactions = cursor.u64();
  expect(Math.max(index, transactions) < 2 ** 32, 'u32');
  const outcomes = cursor.sized();
  const leaf = hash(Buffer.of(0), id, u32(index), u32(transactions), outcomes);
  const blockRoot = fold(leaf, readSteps(cursor));
  const root = fold(hash(Buffer.of(0), u64(height), blockRoot), readSteps(cursor));
  expect(root.equals(receiptsRoot), 'another receipts root');
  checkOutcomes(outcomes, transactions);
  return { kind: 'receipts', id: id.toString('hex'), height, outcomes: outcomes.toString('hex') };
}

/** Throws unless the bytes are the outcomes of so many transactions. Values are not looked into. */
export function checkOutcomes(outcomes: Uint8Array, transactions: number): void {
  const cursor = new Cursor(outcomes);
  const utf8 = (length: number, max: number): string => {
    expect(length <= max, `at most ${max} bytes`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(cursor.raw(length));
  };
  let count = 0;
  let mayRun = true;
  while (cursor.at < cursor.bytes.length) {
    const tag = cursor.u8(0x87);
    if (tag === 0) {
      const run = cursor.u16();
      expect(mayRun && run > 0, 'a run that is none, or that the one before could hold');
      mayRun = run === 0xffff;
      count += run;
      continue;
    }
    mayRun = true;
    count++;
    expect([0x81, 0x82, 0x84, 0x86].includes(tag), 'other flags');
    if (tag === 0x81) {
      utf8(cursor.u8(255), 64);
      utf8(cursor.u16(), 1024);
      continue;
    }
    if ((tag & 2) !== 0) cursor.sized();
    if ((tag & 4) === 0) continue;
    const events = cursor.u16();
    expect(events > 0, 'no events');
    for (let left = events; left > 0; left--) {
      expect(utf8(cursor.u8(255), 255).includes('.'), 'an event of no module');
      cursor.sized();
    }
  }
  expect(count === transactions, 'another number of outcomes');
}

function fold(leaf: Buffer, steps: readonly Step[]): Buffer {
  return steps.reduce((node, { prefix, suffix }) => {
    const lengths = `${prefix.length} ${suffix.length}`;
    expect(prefix[0] === 1 && ['1 32', '33 0'].includes(lengths), 'not a step of RFC 6962');
    return hash(prefix, node, suffix);
  }, leaf);
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${sorted(each)}`).join(',')}}`;
}
