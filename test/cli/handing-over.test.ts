/** What is handed over without waiting: whom a refusal is believed, and what is no answer. */
import test, { type ExecutionContext } from 'ava';
import { submissionId } from '../../protocols/transaction/submission.ts';
import { AlthingError, OutcomeUnknown } from '../../src/client/errors.ts';
import { handOver } from '../../src/cli/handing-over.ts';
import { jsonText } from '../../src/cli/output.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { signedPart } from '../../src/edge/raw-submission.ts';
import { addressed, isWrite, type Behaviour } from '../client/cluster.ts';

const set = { module: 'kv', command: 'set', args: { namespace: 'n', key: 'a', value: 1 } };
/** What an address says to whatever is sent. */
const saying =
  (status: number, body: string): Behaviour =>
  (path) =>
    isWrite(path) ? new Response(body, { status }) : null;
const refusing = (code: string): Behaviour => saying(422, JSON.stringify({ code, detail: 'no' }));
const silent: Behaviour = (path) => (isWrite(path) ? new Promise(() => {}) : null);

async function handing(t: ExecutionContext, behaviours: readonly (Behaviour | null)[]) {
  const { connect, port, asked } = await addressed(t, behaviours);
  const client = await connect();
  asked.fill(0);
  const ends = new AbortController();
  const bytes = client.sign([set]);
  return { port, asked, ends, bytes, handed: handOver(client, bytes, ends.signal) };
}

for (const [what, lie] of [
  ['says nothing of use', saying(202, 'junk')],
  ['has taken another one', saying(202, JSON.stringify({ id: '0'.repeat(64) }))],
  ['is full', saying(503, '')],
  ['refuses alone', refusing('bad_word')],
] as const) {
  test(`X2: a node that ${what} is passed over`, async (t) => {
    const { handed, asked, port } = await handing(t, [lie, null]);
    const { id, ids } = await handed;
    t.deepEqual(ids, [`${id}-0`]);
    t.true(asked.every((times) => times > 0));
    t.true(port.submitted > 0);
  });
}

test('a node that has taken it says nothing more that counts, however deep it is', async (t) => {
  const taking: Behaviour = (path, _ask, { id }) => {
    const x = '['.repeat(100_000) + ']'.repeat(100_000);
    const body = `{"id":"${id}","ids":["lie"],"statusUrl":"/lie","x":${x}}`;
    return isWrite(path) ? new Response(body, { status: 202 }) : null;
  };
  const { handed, bytes } = await handing(t, [taking]);
  const id = submissionId(nodeCrypto, signedPart(bytes));
  const statusUrl = `/api/v11/transactions/${id}`;
  t.is(jsonText(await handed), jsonText({ id, ids: [`${id}-0`], statusUrl, exactlyOnce: true }));
});

test('X2: a refusal is believed from f + 1 nodes, or from all that there are', async (t) => {
  for (const behaviours of [
    [refusing('bad_word')],
    [silent, refusing('bad_word'), saying(503, ''), refusing('bad_word')],
  ]) {
    const { handed } = await handing(t, behaviours);
    t.is((await t.throwsAsync(handed, { instanceOf: AlthingError })).code, 'bad_word');
  }
});

test('where a node is silent and another refuses, it is not known what becomes of it', async (t) => {
  let refused = 0;
  const { handed, ends, bytes } = await handing(t, [
    silent,
    (path, ask, body) => {
      if (isWrite(path) && ++refused === 2) ends.abort();
      return refusing('bad_word')(path, ask, body);
    },
  ]);
  const error = await t.throwsAsync(handed, { instanceOf: OutcomeUnknown });
  t.is(error.bytes, bytes);
});
