/** C3: the browser's port gives what the node's gives, for every input. */
import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';
import type { PublicKey } from '../../protocols/types.ts';
import { browserCrypto } from '../../src/crypto/browser-crypto.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import { EDGE_CASES, SMALL_ORDER_KEYS } from './edge-cases.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const ports = [nodeCrypto, browserCrypto];

const { crypto_core_ed25519_add: add } = createRequire(import.meta.url)('sodium-native') as {
  crypto_core_ed25519_add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
};

function verdicts(key: string, message: Uint8Array, signature: Uint8Array): boolean[] {
  return ports.map((port) => port.verify(key as PublicKey, message, signature));
}

test('C3: hashes are the same', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (input) => {
      t.is(browserCrypto.hash(input), nodeCrypto.hash(input));
      const [a, b] = ports.map((port) => {
        const out = new Uint8Array(40);
        port.treeHash(input, out, 5);
        return Buffer.from(out).toString('hex');
      });
      t.is(a, b);
    }),
    { numRuns: 100 },
  );
  t.throws(() => browserCrypto.treeHash(bytes('00'), new Uint8Array(40), 9), {
    instanceOf: RangeError,
  });
});

for (const { name, message, key, signature, valid } of EDGE_CASES) {
  test(`C3: ${valid ? 'accepts' : 'refuses'} the edge case "${name}" as nodes do`, (t) => {
    t.deepEqual(verdicts(key, bytes(message), bytes(signature)), [valid, valid]);
  });
}

test('C3: takes the same signatures, and the same changed ones for none', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(511), fc.nat(255), (message, s, k) => {
      const signer = signerFromPem(generateKey().pem);
      const signature = signer.sign(message);
      t.deepEqual(verdicts(signer.publicKey, message, signature), [true, true]);
      signature[s >> 3]! ^= 1 << (s & 7);
      const changed = verdicts(signer.publicKey, message, signature);
      t.is(changed[0], changed[1]);
      const key = bytes(signer.publicKey);
      key[k >> 3]! ^= 1 << (k & 7);
      signature[s >> 3]! ^= 1 << (s & 7);
      const other = verdicts(key.toString('hex'), message, signature);
      t.is(other[0], other[1]);
    }),
    { numRuns: 60 },
  );
});

test('C3: keys and Rs of small order, and with a part of small order, are treated alike', (t) => {
  const signer = signerFromPem(generateKey().pem);
  const message = bytes('c0ffee');
  const signature = signer.sign(message);
  for (const small of SMALL_ORDER_KEYS) {
    const r = Uint8Array.of(...bytes(small), ...signature.subarray(32));
    t.deepEqual(verdicts(small, message, signature), [false, false]);
    t.deepEqual(verdicts(signer.publicKey, message, r), [false, false]);
    const mixed = Buffer.alloc(32);
    try {
      add(mixed, bytes(signer.publicKey), bytes(small));
    } catch {
      continue; // not the encoding of a point
    }
    const [a, b] = verdicts(mixed.toString('hex'), message, signature);
    t.is(a, b);
  }
});

test('C3: malformed keys and signatures are not valid, and nothing throws', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc
          .uint8Array({ minLength: 32, maxLength: 32 })
          .map((each) => Buffer.from(each).toString('hex')),
      ),
      fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 64, maxLength: 64 })),
      (key, signature) => {
        t.deepEqual(verdicts(key, bytes('01'), signature), [false, false]);
      },
    ),
    { numRuns: 300 },
  );
});
