/** Golden vectors: the browser's port must give the same bytes. */
import { Blake2BHasher, Blake2BParam } from '@napi-rs/blake-hash';
import test from 'ava';
import fc from 'fast-check';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';

/** The input of the official BLAKE3 vectors: bytes 0 to 250, again and again. */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at % 251);

test('hash is BLAKE3-256 (official test vectors)', (t) => {
  const vectors: readonly (readonly [number, string])[] = [
    [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
    [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
    [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
    [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  ];
  for (const [length, digest] of vectors) t.is(String(nodeCrypto.hash(pattern(length))), digest);
});

test('hash covers exactly the view that it is given', (t) => {
  const whole = pattern(300);
  t.is(nodeCrypto.hash(whole.subarray(100, 200)), nodeCrypto.hash(whole.slice(100, 200)));
});

function treeHash(input: Uint8Array): string {
  const out = new Uint8Array(32);
  nodeCrypto.treeHash(input, out, 0);
  return Buffer.from(out).toString('hex');
}

test('treeHash is BLAKE2b-256', (t) => {
  t.is(
    treeHash(new Uint8Array()),
    '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8',
  );
  const params = new Blake2BParam();
  params.hashLength(32);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
      const expected = Blake2BHasher.withParams(params).update(Buffer.from(input)).digest('hex');
      t.is(treeHash(input), expected);
    }),
    { numRuns: 50 },
  );
});

test('treeHash writes its 32 bytes at the offset and nothing else, and refuses a short rest', (t) => {
  const out = new Uint8Array(96).fill(9);
  nodeCrypto.treeHash(pattern(65), out, 32);
  t.is(Buffer.from(out.subarray(32, 64)).toString('hex'), treeHash(pattern(65)));
  t.deepEqual(
    [...out.subarray(0, 32), ...out.subarray(64)],
    Array.from({ length: 64 }, () => 9),
  );
  t.throws(() => nodeCrypto.treeHash(pattern(65), out, 65), { instanceOf: RangeError });
  t.throws(() => nodeCrypto.treeHash(pattern(65), out, -1), { instanceOf: RangeError });
});
