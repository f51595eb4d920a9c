/** Proofs that hold, given for something else than was asked: the right place at the wrong question. */
import test from 'ava';
import { AlthingError } from '../../src/client/errors.ts';
import { readOutcomes } from '../../src/client/outcomes.ts';
import { addressed, endingAfter, isWrite, known, type Behaviour } from './cluster.ts';

const write = (key: string) => ({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key, value: key },
});

/** Answers what is asked with a proof as if `other` had been. */
const instead =
  (from: string, other: string): Behaviour =>
  (path, ask) =>
    path.includes('proof=1') ? ask(path.replaceAll(from, other)) : ask();

for (const [what, from, other] of [
  ['another key', 'n%2Fa', 'n%2Fb'],
  ['a key that is not there', 'n%2Fa', 'n%2Fnone'],
  ['another table', 'kv/entries', 'ledger/accounts'],
] as const) {
  test(`X5: what is proved of ${what} is no row`, async (t) => {
    const { ending, signal } = endingAfter(2, instead(from, other));
    const { connect, port, urls } = await addressed(t, [ending, null]);
    const [liar, honest] = urls.map((url) => connect({ ...known(port), urls: [url] }));
    await (await honest!).submit([write('a'), write('b')]);
    const asked = (await liar!).row('kv', 'entries', 'n/a', { signal });
    t.is((await t.throwsAsync(asked, { instanceOf: AlthingError })).code, 'not_proved');
    t.like((await (await honest!).row('kv', 'entries', 'n/a')).result, { value: 'a' });
  });
}

test('X1: receipts of another submission are not those of the one that was sent', async (t) => {
  let first = '';
  /** Whatever executed, it proves what the first one got. */
  const repeating: Behaviour = (path, ask) =>
    path.includes('proof=1') ? ask(path.replace(/[0-9a-f]{64}/, first)) : ask();
  const { connect, port } = await addressed(t, [
    (path, ask, body) => (first === '' ? null : repeating(path, ask, body)),
    null,
  ]);
  const client = await connect(known(port));
  first = (await client.submit([write('a')])).id;
  client.nodes.distrust(1);
  const { id, receipts } = await client.submit([write('b')]);
  t.not(id as string, first);
  t.true(receipts[0]!.id.startsWith(id));
  client.nodes.distrust(1);
  const found = await client.receipts(id);
  t.deepEqual([found.id, found.receipts], [id, receipts]);
});

test('X4: an older proof does not have the client forget what it has seen', async (t) => {
  let first = '';
  let kept: Uint8Array<ArrayBuffer> | null = null;
  const keeping: Behaviour = async (path, ask) => {
    if (!path.includes('proof=1') || !path.includes(first)) return ask();
    kept ??= new Uint8Array(await (await ask()).arrayBuffer());
    return new Response(kept);
  };
  const { connect, port } = await addressed(t, [
    (path, ask, body) => (first === '' ? null : keeping(path, ask, body)),
  ]);
  const client = await connect(known(port));
  const { id } = await client.submit([write('a')]);
  first = id;
  await client.receipts(id);
  await client.submit([write('b')]);
  await client.submit([write('c')]);
  const height = client.certifiedHeight;
  t.is((await client.receipts(id)).id, id);
  t.is(client.certifiedHeight, height);
});

test('an answer to another submission is none, also where nodes are believed', async (t) => {
  let kept: Uint8Array<ArrayBuffer> | null = null;
  const repeating: Behaviour = async (path, ask) => {
    if (!isWrite(path)) return ask();
    kept ??= new Uint8Array(await (await ask()).arrayBuffer());
    return new Response(kept);
  };
  const { connect, asked } = await addressed(t, [repeating, null]);
  const client = await connect();
  const earlier = new Set<string>();
  // Where the first node is late the other one answers, and there is nothing to repeat yet.
  do {
    client.nodes.distrust(1);
    earlier.add((await client.submit([write('a')])).id);
  } while (kept === null);
  client.nodes.distrust(1);
  asked.fill(0);
  const second = await client.submit([write('b')]);
  t.false(earlier.has(second.id));
  t.true(second.receipts[0]!.id.startsWith(second.id));
  t.true(asked.every((times) => times > 0));
});

test('X3: an answer that is too short to be one is none', (t) => {
  t.is(readOutcomes(new Uint8Array(0)), null);
  t.is(readOutcomes(new Uint8Array(47)), null);
  t.like(readOutcomes(new Uint8Array(48)), { height: 0, index: 0, txCount: 0 });
});

test('X3: an answer to a submission is read up to what a proof may have', async (t) => {
  let most = 0;
  const endless: Behaviour = (path) => {
    if (!isWrite(path)) return null;
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        most = Math.max(most, ++pieces);
        controller.enqueue(new Uint8Array(1024 * 1024));
      },
    });
    return new Response(body);
  };
  const { connect, port } = await addressed(t, [endless, null]);
  const client = await connect({ ...known(port), trust: 'node' });
  t.is((await client.submit([write('a')])).receipts[0]!.status, 'ok');
  // Of each answer: where the other node is late, this one is asked again.
  t.true(most > 0 && most < 24, `${most} MiB`);
});

test('a row is not read linearizably', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const read = client.row('kv', 'entries', 'n/a', { consistency: 'linearizable' });
  t.is((await t.throwsAsync(read, { instanceOf: AlthingError })).code, 'not_provable');
});
