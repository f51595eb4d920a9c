/** `althing key`: the name of a key, from either half of it. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { generateKey } from '../../src/crypto/keys.ts';
import { newFolder } from '../folder.ts';
import { run } from './program.ts';

const cwd = newFolder('key');

test('the private and the public file of a key have one name', async (t) => {
  const { pem, publicKey } = generateKey();
  writeFileSync(join(cwd, 'client.pem'), pem, { mode: 0o600 });
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'pem' });
  writeFileSync(join(cwd, 'client.pub'), spki);
  for (const file of ['client.pem', 'client.pub']) {
    const { code, stdout, stderr } = await run(['key', file], { cwd });
    t.is(code, 0, stderr);
    t.is(stdout, `key:${publicKey}\n`);
  }
  const { stdout } = await run(['key', 'client.pem', '--json'], { cwd });
  t.deepEqual(JSON.parse(stdout), { key: `key:${publicKey}` });
});

test('what is no such key is refused, and nothing of it is told', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(cwd, 'other.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(cwd, 'text.pem'), 'swordfish');
  for (const [file, said] of [
    ['other.pem', /^althing: other\.pem holds no Ed25519 key in PEM: .*makes one\n$/],
    ['text.pem', /^althing: text\.pem holds no Ed25519 key in PEM: .*makes one\n$/],
    // Whatever is in a message, it moves no cursor.
    ['none\u001b[2J.pem', /^althing: cannot read none\?\[2J\.pem \(ENOENT\)\n$/],
  ] as const) {
    const { code, stdout, stderr } = await run(['key', file], { cwd });
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, said);
  }
});
