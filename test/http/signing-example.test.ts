/** The client in docs/http.md, word for word. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import test from 'ava';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { isRefusal } from '../../protocols/transaction/refusals.ts';
import { SubmissionReader } from '../../protocols/transaction/submission-reader.ts';
import type { Digest } from '../../protocols/types.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { newFolder } from '../folder.ts';
import { sectionOf } from '../repository/docs.ts';
import { ROOT } from '../repository/sources.ts';

const clusterId = 'ab'.repeat(32) as Digest;
const [, example = ''] =
  /^```js\n([^]*?)^```/m.exec(sectionOf('http.md', 'Signing a submission')) ?? [];

test('what the example in docs/http.md signs is a submission, and its signature holds', async (t) => {
  const { pem, publicKey } = generateKey();
  const folder = newFolder('signing-example');
  symlinkSync(join(ROOT, 'dist'), join(folder, 'dist'));
  writeFileSync(join(folder, 'client.pem'), pem, { mode: 0o600 });
  writeFileSync(join(folder, 'sign.mjs'), example);

  const posted: { readonly type: string | undefined; readonly bytes: Uint8Array }[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      if (request.method === 'POST') posted.push({ type: request.headers['content-type'], bytes });
      response.end(
        request.url === '/api/v11/consensus/status' ? JSON.stringify({ clusterId }) : '',
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const options = { cwd: folder };
  await promisify(execFile)(process.execPath, ['sign.mjs', `http://127.0.0.1:${port}`], options);

  t.is(posted.length, 1);
  const { type, bytes } = posted[0]!;
  t.is(type, 'application/vnd.althing.submission');
  const submission = new SubmissionReader(clusterId, DEFAULT_LIMITS).parse(bytes);
  if (isRefusal(submission)) return t.fail(submission.message);
  t.is(submission.key, publicKey);
  t.true(nodeCrypto.verify(publicKey, submission.signed(), submission.signature()));
});
