import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import test from 'ava';
import { fromHex, toHex, utf8 } from '../../protocols/bytes.ts';
import * as browser from '../../src/client/browser.ts';
import { AlthingError } from '../../src/client/errors.ts';
import * as node from '../../src/client/index.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';

const entries = Object.entries({ node, browser });
/** RFC 8032, section 7.1, test 2. */
const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
const publicKey = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const signature =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
  '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

for (const [name, { keyFromSeed, keyFromPem, generateKey: newKey }] of entries) {
  test(`a key signs as RFC 8032 says, in a ${name}`, (t) => {
    const key = keyFromSeed(seed);
    t.is(key.publicKey as string, publicKey);
    t.is(key.sender, `key:${publicKey}`);
    t.is(toHex(key.sign(Uint8Array.of(0x72))), signature);
  });

  test(`a new key is another one each time, and its signatures hold, in a ${name}`, (t) => {
    const key = newKey();
    t.not(key.publicKey, newKey().publicKey);
    t.true(nodeCrypto.verify(key.publicKey, utf8('hello'), key.sign(utf8('hello'))));
  });

  test(`PEM is read as OpenSSL and Node write it, in a ${name}`, (t) => {
    const { pem, publicKey: expected } = generateKey();
    t.is(keyFromPem(pem).publicKey, expected);
    t.is(keyFromPem(pem.replaceAll('\n', '\r\n')).publicKey, expected);
    const key = newKey();
    t.is(signerFromPem(key.pem()).publicKey, key.publicKey);
    t.is(keyFromPem(key.pem()).publicKey, key.publicKey);
    t.is(keyFromSeed(key.seed()).publicKey, key.publicKey);
  });

  test(`X7: a key does not show its secret, in a ${name}`, (t) => {
    const key = keyFromSeed(seed);
    const options = { showHidden: true, depth: 9, getters: true } as const;
    const shown = [
      inspect(key),
      inspect({ key }, options),
      JSON.stringify({ key }),
      String(key),
      `${Object.keys(key).join()} ${Reflect.ownKeys(key).map(String).join()}`,
      JSON.stringify(structuredClone(key)),
    ].join(' ');
    for (const secret of [toHex(seed), Buffer.from(seed).toString('base64'), [...seed].join(',')]) {
      t.false(shown.includes(secret.slice(0, 12)));
    }
    t.true(shown.includes(publicKey));
  });

  test(`a seed that changes afterwards does not change the key, in a ${name}`, (t) => {
    const given = Uint8Array.from(seed);
    const key = keyFromSeed(given);
    given.fill(0);
    key.seed().fill(0);
    t.is(toHex(key.sign(Uint8Array.of(0x72))), signature);
    t.is(toHex(key.seed()), toHex(seed));
  });

  test(`X7: what is no key is refused, and not quoted, in a ${name}`, (t) => {
    const other = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const encrypted = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey;
    const { pem } = generateKey();
    const bad = [other.toString(), encrypted, pem.slice(0, -40), pem.replace('MC', 'MD'), '', 'x'];
    for (const text of bad) {
      const error = t.throws(() => keyFromPem(text), { instanceOf: AlthingError });
      t.is(error.code, 'bad_key');
      t.false(error.message.includes(text.slice(30, 60) || 'nothing'));
    }
    for (const bytes of [new Uint8Array(31), new Uint8Array(33), 'x'.repeat(32)]) {
      const error = t.throws(() => keyFromSeed(bytes as Uint8Array), { instanceOf: AlthingError });
      t.is(error.code, 'bad_key');
    }
  });
}
