import test from 'ava';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromHex, isHex, toHex, utf8 } from '../../protocols/bytes.ts';
import { emptyCut, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import { ROUTES, type PeerMessage } from '../../protocols/messages.ts';
import {
  batchBytes,
  blockBytes,
  handOverBytes,
  marksBytes,
  timeoutBytes,
  voteBytes,
} from '../../protocols/structures.ts';
import { ZERO_DIGEST, type Block, type Certificate, type Digest } from '../../protocols/types.ts';
import { readPacked } from '../../protocols/msgpack-reader.ts';
import { packMessage, peekKind, unpackMessage } from '../../protocols/wire.ts';

const digestOf = (byte: string): Digest => byte.repeat(32) as Digest;
const signature = new Uint8Array(64).fill(7);
const certificate: Certificate = {
  kind: 'prepare',
  epoch: 0,
  term: 3,
  height: 41,
  block: digestOf('ab'),
  first: false,
  votes: [0, 1, 3].map((voter) => ({ voter, signature })),
};
const block: Block = {
  epoch: 0,
  term: 3,
  height: 42,
  parent: digestOf('ab'),
  justify: { kind: 'certificate', certificate },
  cut: [{ seq: 5, digest: digestOf('cd') }, ...emptyCut(3)],
  timestamp: 1_700_000_000_123,
  executed: { ...EXECUTED_NOTHING, height: 32, stateRoot: digestOf('ef') },
  endsEpoch: null,
  signature,
};
const timeoutCertificate = {
  epoch: 0,
  term: 2,
  timeouts: [{ voter: 1, highTerm: -1, highHeight: -1, highBlock: ZERO_DIGEST, signature }],
  highest: null,
};
const { votes: _, ...place } = certificate;
const voteOnly = { ...place, kind: 'commit' as const, voter: 2, signature };
const timeout = {
  epoch: 0,
  term: 3,
  voter: 2,
  highTerm: 3,
  highHeight: 41,
  highBlock: digestOf('ab'),
  signature,
};
const handOver = { epoch: 0, term: 3, signature };
const header = {
  epoch: 0,
  lane: 2,
  seq: 9,
  parentDigest: digestOf('01'),
  payloadDigest: digestOf('02'),
  txCount: 1000,
  bytes: 131_072,
  signature,
};
const marks = { epoch: 0, validator: 1, tips: block.cut, executed: block.executed, signature };

/** One message of every kind, in the order of their tags: a new kind goes to the end. */
const MESSAGES: readonly PeerMessage[] = [
  { kind: 'proposal', block },
  { kind: 'vote', vote: voteOnly },
  { kind: 'timeout', timeout, highest: certificate, handOver: null },
  { kind: 'certificate', certificate },
  { kind: 'timeoutCertificate', certificate: timeoutCertificate },
  { kind: 'handOver', handOver },
  { kind: 'marks', marks },
  { kind: 'tipsShown', marks: [marks] },
  { kind: 'batch', header },
  { kind: 'fetchBatches', lane: 1, fromSeq: 2, toSeq: 2 ** 40 },
  { kind: 'fetchBatch', lane: 1, seq: 2, digest: digestOf('cd') },
  { kind: 'fetchBlocks', fromHeight: 7 },
  { kind: 'blocks', blocks: [block], certificate },
  { kind: 'fetchBlock', digest: digestOf('ab') },
];

/** Committed bytes: a change here is a change of the protocol. The path is relative to dist/. */
const GOLDEN = fileURLToPath(new URL('../../../test/golden/wire.json', import.meta.url));
const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, string>;

test('every kind of message has its golden envelope', (t) => {
  t.deepEqual(
    MESSAGES.map(({ kind }) => kind),
    Object.keys(ROUTES) as PeerMessage['kind'][],
  );
  for (const message of MESSAGES)
    t.is(toHex(packMessage(message)), golden[message.kind] ?? '', message.kind);
});

test('what is signed has its golden bytes', (t) => {
  const id = digestOf('99');
  const signed = {
    'signed vote': voteBytes(id, voteOnly),
    'signed timeout': timeoutBytes(id, timeout),
    'signed hand-over': handOverBytes(id, handOver),
    'signed block': blockBytes(id, block),
    'signed batch': batchBytes(id, header),
    'signed marks': marksBytes(id, marks),
  };
  for (const [name, bytes] of Object.entries(signed)) t.is(toHex(bytes), golden[name] ?? '', name);
});

test('decoding an envelope gives the message back, and peeking its kind', (t) => {
  for (const message of MESSAGES) {
    const bytes = packMessage(message);
    t.is(peekKind(bytes), message.kind);
    const decoded = unpackMessage(bytes);
    t.true(decoded.ok);
    if (decoded.ok) t.is(toHex(packMessage(decoded.value)), toHex(bytes));
  }
});

test('no two kinds of signed content share bytes, and every one names the cluster', (t) => {
  const ids = [digestOf('99'), digestOf('98')];
  const all = ids.flatMap((id) => [
    voteBytes(id, voteOnly),
    voteBytes(id, { ...voteOnly, kind: 'prepare' }),
    voteBytes(id, { ...voteOnly, first: true }),
    timeoutBytes(id, timeout),
    handOverBytes(id, handOver),
    blockBytes(id, block),
    batchBytes(id, header),
    marksBytes(id, marks),
  ]);
  t.is(new Set(all.map(toHex)).size, all.length);
});

test('bytes that are no envelope are refused with a reason and never throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const decoded = unpackMessage(bytes);
      return decoded.ok || decoded.error.length > 0;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('an envelope with any one byte changed never throws', (t) => {
  for (const message of MESSAGES) {
    const bytes = packMessage(message);
    for (let at = 0; at < bytes.length; at += 1 + Math.floor(bytes.length / 200)) {
      for (const flip of [1, 0x80, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= flip;
        const decoded = unpackMessage(changed);
        t.true(decoded.ok || decoded.error !== '');
      }
    }
  }
});

const packr = new Packr({ useRecords: false, moreTypes: true });

/** Every position of a packed value, as the way that leads to it. */
function positions(packed: unknown, way: readonly number[] = []): (readonly number[])[] {
  const inside = Array.isArray(packed)
    ? packed.flatMap((each, at) => positions(each, [...way, at]))
    : [];
  return [way, ...inside];
}

/** The packed value with `value` at the end of `way`. */
function put(packed: unknown, way: readonly number[], value: unknown): unknown {
  const [first, ...rest] = way;
  if (first === undefined) return value;
  return (packed as unknown[]).map((each, at) => (at === first ? put(each, rest, value) : each));
}

const inherited = ['__proto__', 'constructor', 'map', 'length', 'toString', 'valueOf', '0'];

/** Whatever msgpack can say, in the types that its libraries know. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(...inherited, null, undefined, true, false, -0, NaN, Infinity, -1, 0.5),
  fc.constantFrom(2 ** 31, 2 ** 53, -(2 ** 53), 2n ** 63n, -(2n ** 63n), 10n ** 400n),
  fc.constantFrom<unknown>(
    { toString: 1, valueOf: 1 },
    { length: 2, 0: 1, 1: [0, []] },
    Object.fromEntries([['__proto__', 1]]),
    new Map<unknown, unknown>([[[], {}]]),
    new Set([1]),
    new Date(0),
    new Error('e'),
    /e/,
    new Float64Array(2),
  ),
  fc.double(),
  fc.bigInt(),
  fc.string(),
  fc.uint8Array({ maxLength: 80 }),
  fc.anything({ maxDepth: 3, withBigInt: true, withDate: true, withMap: true, withSet: true }),
  fc.integer({ min: 1, max: 5000 }).map((depth) => {
    let nested: unknown = 0;
    for (let i = 0; i < depth; i++) nested = [nested];
    return nested;
  }),
);

function packAnything(value: unknown): Uint8Array | null {
  try {
    return packr.pack(value);
  } catch {
    return null; // not a value of msgpack
  }
}

test('I97: any value at any position of any envelope is decoded or refused, and never throws', (t) => {
  for (const message of MESSAGES) {
    const packed: unknown = packr.unpack(packMessage(message));
    const ways = positions(packed);
    fc.assert(
      fc.property(fc.constantFrom(...ways), anything, (way, value) => {
        const bytes = packAnything(put(packed, way, value));
        if (bytes === null) return;
        const decoded = unpackMessage(bytes);
        if (decoded.ok) packMessage(decoded.value);
        else t.true(decoded.error.length < 400, decoded.error);
      }),
      { numRuns: 1000, seed: 93 },
    );
    for (const way of ways) {
      for (const name of inherited) {
        const bytes = packr.pack(put(packed, way, name));
        t.false(unpackMessage(bytes).ok, `${message.kind} with ${name} at ${way.join('.')}`);
      }
    }
  }
});

test('I97: maps, extensions, and lengths that are not there are refused', (t) => {
  const hostile = {
    'a map': [0x80],
    'an extension': [0xd4, 0x78, 0x00],
    'a list of 2^32 − 1': [0xdd, 0xff, 0xff, 0xff, 0xff],
    'bytes of 2^32 − 1': [0xc6, 0xff, 0xff, 0xff, 0xff],
    'a text of 2^16 − 1': [0xda, 0xff, 0xff],
    'a text that is not ASCII': [0xa2, 0xc3, 0xbc],
    'half a double': [0xcb, 0x00],
    'a byte too many': [0xc0, 0xc0],
    nothing: [],
  };
  for (const [name, bytes] of Object.entries(hostile)) {
    t.is(readPacked(Uint8Array.from(bytes)), undefined, name);
  }
  t.is(readPacked(new Uint8Array(1024 * 1024).fill(0x91)), undefined, 'nested without end');
});

test('what schemas pack is read back as it was', (t) => {
  const integers = fc.oneof(fc.maxSafeInteger(), fc.integer());
  const leaf = fc.oneof(
    fc.constantFrom(null, true, false, 0, -1, 2 ** 32, 2 ** 53 - 1, -(2 ** 31), 65_535, 65_536),
    integers,
    fc.uint8Array({ maxLength: 70_000 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
  );
  const lists = fc.array(fc.oneof(leaf, fc.array(leaf)), { maxLength: 40 });
  fc.assert(
    fc.property(lists, (value) => {
      const bytes = new Packr({ useRecords: false, moreTypes: false }).pack(value);
      t.deepEqual(readPacked(Uint8Array.from(bytes)), value);
    }),
    { seed: 93 },
  );
});

test('fields out of bounds are refused by name', (t) => {
  const bad: PeerMessage[] = [
    { kind: 'fetchBlocks', fromHeight: -1 },
    { kind: 'fetchBlocks', fromHeight: 1.5 },
    { kind: 'fetchBlock', digest: 'xyz' as Digest },
    { kind: 'fetchBlock', digest: digestOf('AB') },
    { kind: 'vote', vote: { ...voteOnly, signature: new Uint8Array(63) } },
    { kind: 'vote', vote: { ...voteOnly, voter: 70_000 } },
    { kind: 'marks', marks: { ...marks, tips: emptyCut(129) } },
  ];
  for (const message of bad) {
    const decoded = unpackMessage(packMessage(message));
    t.false(decoded.ok, JSON.stringify(message).slice(0, 80));
    if (!decoded.ok) t.regex(decoded.error, /^[a-zA-Z.]+: expected/);
  }
});

test('hex and UTF-8 without Node are those of Node', (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = toHex(bytes);
      return (
        text === Buffer.from(bytes).toString('hex') && Buffer.from(fromHex(text)).equals(bytes)
      );
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) =>
      Buffer.from(utf8(text)).equals(Buffer.from(text)),
    ),
  );
  t.true(Buffer.from(utf8('a\ud800b')).equals(Buffer.from('a\ud800b')));
  t.false(isHex('0G', 1));
  t.false(isHex('00', 2));
});
