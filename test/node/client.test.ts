/** Clients of a cluster of four processes: what they read is what was final, whichever node they ask. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Cluster } from '../../bench/cluster.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { connect } from '../../src/client/index.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import { kv } from '../../src/modules/kv/kv.ts';
import { newFolder } from '../folder.ts';

const folder = newFolder('clients');
const cluster = await Cluster.create({ folder, nodes: 4 });
test.before(() => cluster.start());
test.after.always(() => cluster.close());

const at = { namespace: 'n', key: 'k' };
const signer = signerFromPem(generateKey().pem);
const genesis = () => readFileSync(join(folder, 'genesis.json'), 'utf8');

test.serial('a linearizable read at any node has what was final anywhere before it', async (t) => {
  const writer = await connect({ urls: cluster.urls.slice(0, 1), signer });
  const readers = await Promise.all(cluster.urls.map((url) => connect({ urls: [url] })));
  for (let value = 1; value <= 10; value++) {
    const written = await writer.call('kv', 'set', { ...at, value });
    for (const reader of readers) {
      const ask = reader.module<typeof kv>('kv').ask;
      const read = await ask.get(at, { consistency: 'linearizable' });
      t.is(read.result.value, value);
      t.true(read.height >= written.height);
    }
  }
});

test.serial('linearizable reads never go back while somebody writes', async (t) => {
  const writer = await connect({ urls: cluster.urls, signer });
  const reader = await connect({ urls: cluster.urls });
  let isOver = false;
  let known = 10;
  const writing = (async () => {
    for (let value = 11; value <= 50; value++) {
      await writer.call('kv', 'set', { ...at, value });
      known = value;
    }
    isOver = true;
  })();
  let seen = 0;
  let reads = 0;
  while (!isOver) {
    const least = Math.max(seen, known);
    // Each at another node.
    reader.nodes.distrust(reads++ % cluster.size);
    const { result } = await reader.query<{ value: number }>('kv', 'get', at, {
      consistency: 'linearizable',
    });
    t.true(result.value >= least, `${result.value} after ${least}`);
    seen = result.value;
  }
  await writing;
  t.true(reads > 3);
});

test.serial(
  'atHeight is the same at every node, with one that has been away as well',
  async (t) => {
    const writer = await connect({ urls: cluster.urls, signer });
    const heights: number[] = [];
    for (let value = 0; value < 5; value++) {
      if (value === 2) await cluster.end(3);
      heights.push((await writer.call('kv', 'set', { ...at, value })).height);
    }
    await cluster.start([3]);
    for (const url of cluster.urls) {
      const reader = await connect({ urls: [url] });
      const ask = reader.module<typeof kv>('kv').ask;
      for (const [value, atHeight] of heights.entries()) {
        const read = await ask.get(at, { atHeight });
        t.deepEqual([read.result.value, read.height], [value, atHeight]);
      }
    }
  },
);

test.serial('proved linearizable reads miss nothing, also while a node is away', async (t) => {
  await cluster.end(2);
  const client = await connect({ urls: cluster.urls, genesis: genesis(), signer });
  const { send, ask } = client.module(kv);
  for (let value = 100; value < 105; value++) {
    const { receipt } = await send.set({ ...at, value });
    const read = await ask.get(at, { consistency: 'linearizable' });
    t.is(read.result.value, value);
    t.true(read.height >= receipt.height);
  }
  await cluster.start([2]);
});

test.serial(
  'what one client signs another sends, to all nodes at once, and it executes once',
  async (t) => {
    const author = await connect({ urls: cluster.urls, signer: signerFromPem(generateKey().pem) });
    const args = { namespace: 'n', key: 'signed', value: 1 };
    const bytes = author.sign([{ module: 'kv', command: 'set', args }]);
    const couriers = await Promise.all(cluster.urls.map((url) => connect({ urls: [url] })));
    const sent = await Promise.all(couriers.map((courier) => courier.resend(bytes)));
    t.is(new Set(sent.map((each) => JSON.stringify(each))).size, 1);
    const { result } = await couriers[0]!.query<{ version: number }>(
      'kv',
      'get',
      { namespace: 'n', key: 'signed' },
      { consistency: 'linearizable' },
    );
    t.is(result.version, 1);
  },
);
