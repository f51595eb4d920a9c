/** Proofs of a real cluster: four processes, and a client that believes none of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Cluster } from '../../bench/cluster.ts';
import { fromHex } from '../../protocols/bytes.ts';
import type { Genesis } from '../../protocols/genesis.ts';
import { trustGenesis, verifyReceiptProof, verifyRowProof } from '../../protocols/proofs/verify.ts';
import type { Digest } from '../../protocols/types.ts';
import { browserCrypto } from '../../src/crypto/browser-crypto.ts';
import { newFolder } from '../folder.ts';

const folder = newFolder('proved');
const cluster = await Cluster.create({ folder, nodes: 4, dev: true });
test.after.always(() => cluster.close());

interface Answer {
  readonly height: number;
  readonly proof: string;
}

/** A proof is late where the machine is busy: it is asked for again. */
async function proved(node: number, path: string): Promise<Answer> {
  for (;;) {
    const answer = await fetch(`${cluster.urls[node]}/api/v11/${path}?proof=1`);
    if (answer.status !== 503) return (await answer.json()) as Answer;
    await pause(100);
  }
}

test('I111, I112, I113: every node proves what was written at another, also after a restart', async (t) => {
  await cluster.start();
  const genesis = JSON.parse(readFileSync(join(folder, 'genesis.json'), 'utf8')) as Genesis;
  const trusted = trustGenesis(browserCrypto, genesis);
  const written = await fetch(`${cluster.urls[0]}/api/v11/kv/n/k`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '"v"',
  });
  const { id } = (await written.json()) as { id: string };
  const submission = id.slice(0, 64) as Digest;
  const row = { value: 'v', version: 1, createRevision: 1, modRevision: 1, bytes: 3 };
  const place = { table: 'kv/entries', key: 'n/k' };
  const look = async (node: number): Promise<void> => {
    const { proof } = await proved(node, 'state/kv/entries/n%2Fk');
    const shown = verifyRowProof(trusted, fromHex(proof), place);
    t.deepEqual(shown.ok && shown.row, row);
    const receipts = await proved(node, `transactions/${id}`);
    t.like(verifyReceiptProof(trusted, fromHex(receipts.proof), submission), {
      ok: true,
      receipts: [{ id, status: 'ok' }],
    });
    const gone = await proved(node, 'kv/n/other');
    const absent = verifyRowProof(trusted, fromHex(gone.proof), { ...place, key: 'n/other' });
    t.like(absent, { ok: true, row: undefined });
  };
  // The node that took it has it; the others have when they have executed it.
  for (const [node, url] of cluster.urls.entries()) {
    while ((await fetch(`${url}/api/v11/transactions/${id}`)).status !== 200) await pause(20);
    await look(node);
  }
  t.is(await cluster.end(3), 0);
  await cluster.start([3]);
  await look(3);
});
