/** Rule M4 on the Node side: node:crypto is the oracle where it is strict enough, vectors elsewhere. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { PublicKey } from '../../protocols/types.ts';
import { generateKey, KeyError, publicKeyOfSpki } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { loadSigner, signerFromPem } from '../../src/crypto/signer.ts';
import { EDGE_CASES, SMALL_ORDER_KEYS } from './edge-cases.ts';
import { newFolder } from '../folder.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const SPKI_PREFIX = bytes('302a300506032b6570032100');
const PKCS8_PREFIX = bytes('302e020100300506032b657004220420');
/** The order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const { crypto_scalarmult_ed25519_base_noclamp: timesBase } = createRequire(import.meta.url)(
  'sodium-native',
) as {
  crypto_scalarmult_ed25519_base_noclamp(point: Uint8Array, scalar: Uint8Array): void;
};

function oracle(key: string, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.concat([SPKI_PREFIX, bytes(key)]);
  return verify(
    null,
    message,
    createPublicKey({ key: der, format: 'der', type: 'spki' }),
    signature,
  );
}

function pemOfSeed(seed: Uint8Array): string {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const littleEndian = (value: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(value).reverse().toString('hex')}`);

test('signs as RFC 8032 does (section 7.1, tests 1 to 3)', (t) => {
  const cases = [
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ] as const;
  for (const [seed, key, message, signature] of cases) {
    const signer = signerFromPem(pemOfSeed(bytes(seed)));
    t.is(signer.publicKey, key as PublicKey);
    t.is(Buffer.from(signer.sign(bytes(message))).toString('hex'), signature);
    t.true(nodeCrypto.verify(signer.publicKey, bytes(message), bytes(signature)));
  }
});

test('agrees with node:crypto on signing and on checking, whatever the message', (t) => {
  const { pem, publicKey } = generateKey();
  const signer = signerFromPem(pem);
  t.is(signer.publicKey, publicKey);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
      const signature = signer.sign(message);
      t.deepEqual(Buffer.from(signature), sign(null, message, createPrivateKey(pem)));
      t.true(nodeCrypto.verify(publicKey, message, signature));
    }),
    { numRuns: 50 },
  );
});

test('refuses a signature, message or key with any one bit flipped, as node:crypto does', (t) => {
  const signer = signerFromPem(generateKey().pem);
  const message = bytes('00112233');
  const signature = signer.sign(message);
  const flip = (from: Uint8Array, bit: number): Buffer => {
    const copy = Buffer.from(from);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy;
  };
  for (let bit = 0; bit < 512; bit += 3) {
    const bad = flip(signature, bit);
    t.false(nodeCrypto.verify(signer.publicKey, message, bad));
    t.false(oracle(signer.publicKey, message, bad));
  }
  for (let bit = 0; bit < 256; bit += 3) {
    const key = flip(bytes(signer.publicKey), bit).toString('hex') as PublicKey;
    t.false(nodeCrypto.verify(key, message, signature));
  }
  t.false(nodeCrypto.verify(signer.publicKey, flip(message, 7), signature));
});

for (const { name, message, key, signature, valid } of EDGE_CASES) {
  test(`${valid ? 'accepts' : 'refuses'} the edge case "${name}" (rule M4)`, (t) => {
    t.is(nodeCrypto.verify(key as PublicKey, bytes(message), bytes(signature)), valid);
  });
}

test('refuses S + L, which a lenient check would take for the same signature (rule M4)', (t) => {
  const signer = signerFromPem(generateKey().pem);
  const message = bytes('aa');
  const signature = Buffer.from(signer.sign(message));
  const s = littleEndian(signature.subarray(32)) + L;
  const shifted = Buffer.concat([
    signature.subarray(0, 32),
    bytes(s.toString(16).padStart(64, '0')).reverse(),
  ]);
  t.true(nodeCrypto.verify(signer.publicKey, message, signature));
  t.false(nodeCrypto.verify(signer.publicKey, message, shifted));
});

test('refuses every small-order key, also where the plain equation holds (rule M4)', (t) => {
  // R = S·B and the identity as key: S·B = R + h·A for every message. Some versions of OpenSSL accept that.
  const seed = Buffer.alloc(32, 7);
  const signer = signerFromPem(pemOfSeed(seed));
  const scalar = clampedScalar(seed) % L;
  const forged = Buffer.concat([
    bytes(signer.publicKey),
    bytes(scalar.toString(16).padStart(64, '0')).reverse(),
  ]);
  const point = Buffer.alloc(32);
  timesBase(point, forged.subarray(32));
  t.deepEqual(point, forged.subarray(0, 32), 'the equation holds');
  t.is(SMALL_ORDER_KEYS[2], `01${'00'.repeat(31)}`, 'the identity');
  const message = bytes('deadbeef');
  for (const key of SMALL_ORDER_KEYS) {
    t.false(nodeCrypto.verify(key as PublicKey, message, forged), key);
  }
});

function clampedScalar(seed: Uint8Array): bigint {
  // RFC 8032, 5.1.5.
  const digest = createHash('sha512').update(seed).digest().subarray(0, 32);
  digest[0] = (digest[0] ?? 0) & 248;
  digest[31] = ((digest[31] ?? 0) & 127) | 64;
  return littleEndian(digest);
}

test('C2: answers false, and never throws, for malformed keys and signatures', (t) => {
  const signer = signerFromPem(generateKey().pem);
  const message = bytes('01');
  const good = signer.sign(message);
  for (const length of [0, 1, 63, 65, 128]) {
    t.false(nodeCrypto.verify(signer.publicKey, message, new Uint8Array(length)));
  }
  const keys = [
    '',
    'zz',
    signer.publicKey.slice(2),
    `${signer.publicKey}00`,
    signer.publicKey.toUpperCase(),
  ];
  for (const key of [...keys, 'g'.repeat(64)]) {
    t.false(nodeCrypto.verify(key as PublicKey, message, good));
  }
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 80 }), (key, signature) => {
      t.false(nodeCrypto.verify(key as PublicKey, message, signature));
    }),
  );
});

test('checks signatures that lie inside a larger buffer', (t) => {
  const signer = signerFromPem(generateKey().pem);
  const frame = new Uint8Array(200);
  frame.set([1, 2, 3], 10);
  frame.set(signer.sign(new Uint8Array([1, 2, 3])), 100);
  t.true(nodeCrypto.verify(signer.publicKey, frame.subarray(10, 13), frame.subarray(100, 164)));
});

test('reads the key of an Ed25519 SPKI and refuses other algorithms and lengths', (t) => {
  const { publicKey } = generateKey();
  const spki = Buffer.concat([SPKI_PREFIX, bytes(publicKey)]);
  t.is(publicKeyOfSpki(spki), publicKey);
  t.is(publicKeyOfSpki(spki.subarray(0, 43)), null);
  t.is(publicKeyOfSpki(Buffer.concat([spki, Buffer.of(0)])), null);
  const x25519 = Buffer.from(spki);
  x25519[8] = 0x6e;
  t.is(publicKeyOfSpki(x25519), null);
});

test('names the file when a key cannot be read, and keeps its content out of the message', (t) => {
  const folder = newFolder('keys');
  const path = join(folder, 'key.pem');
  const missing = t.throws(() => loadSigner(path), { instanceOf: KeyError });
  t.true(missing.message.includes(path));
  writeFileSync(path, 'swordfish');
  const wrong = t.throws(() => loadSigner(path), { instanceOf: KeyError });
  t.true(wrong.message.includes(path));
  t.false(wrong.message.includes('swordfish'));
});
