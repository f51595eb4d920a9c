/**
 * Nodes that lie, each in front of a real one. The client has the genesis document, and either finds the
 * right answer at another node or says what is wrong, within its patience and its memory.
 */
import test from 'ava';
import { fromHex } from '../../protocols/bytes.ts';
import { decodeProof, encodeProof } from '../../protocols/proofs/format.ts';
import type { ClientOptions } from '../../src/client/client.ts';
import { AlthingError, OutcomeUnknown } from '../../src/client/errors.ts';
import type { ReadOptions } from '../../src/client/reads.ts';
import { parseMsgpack } from '../../src/edge/strict-msgpack.ts';
import { toMsgpack } from '../../src/edge/representation.ts';
import { defineModule, refuse, table, Type } from '../../src/module.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { kv } from '../../src/modules/kv/kv.ts';
import { ledger } from '../../src/modules/ledger/ledger.ts';
import { addressed, endingAfter, isWrite, known, problem, type Behaviour } from './cluster.ts';

const set = (key: string, value: number) => ({ namespace: 'n', key, value });
const write = { module: 'kv', command: 'set', args: set('a', 1) };

/** Alters what an answer with a proof holds; what is not asked with a proof passes. */
const altering =
  (alter: (answer: Record<string, unknown>) => Record<string, unknown>): Behaviour =>
  async (path, ask) => {
    if (!path.includes('proof=1')) return ask();
    const response = await ask();
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 200) return new Response(bytes, { status: response.status });
    const { value } = parseMsgpack(bytes) as { value: Record<string, unknown> };
    return new Response(toMsgpack(alter(value)) as Uint8Array<ArrayBuffer>);
  };

const flipped = (proof: unknown, at: number): Uint8Array => {
  const bytes = Uint8Array.from(proof as Uint8Array);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes;
};

const never = (): Promise<Response> => new Promise(() => undefined);

const lies: readonly (readonly [string, Behaviour])[] = [
  [
    'a proof with a byte changed at its end',
    altering((a) => ({ ...a, proof: flipped(a['proof'], -1) })),
  ],
  ['a proof of another cluster', altering((a) => ({ ...a, proof: flipped(a['proof'], 30) }))],
  [
    'a proof cut short',
    altering((a) => ({ ...a, proof: (a['proof'] as Uint8Array).slice(0, 99) })),
  ],
  ['an empty proof', altering((a) => ({ ...a, proof: new Uint8Array(0) }))],
  ['no proof', altering(({ height, result }) => ({ height, result }))],
  ['a proof that is text', altering((a) => ({ ...a, proof: 'true' }))],
  ['an answer that is no map', () => new Response(toMsgpack([1]) as Uint8Array<ArrayBuffer>)],
  [
    'an answer that is no msgpack',
    () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
  ],
  ['nothing', () => new Response(null, { status: 204 })],
  ['a status that is none of its kind', () => new Response('', { status: 299 })],
  ['a refusal', () => problem(404, 'unknown_transaction')],
  ['an error', () => problem(500, 'internal')],
  [
    'a map of a billion entries',
    () => new Response(fromHex('df3b9aca00') as Uint8Array<ArrayBuffer>),
  ],
];

for (const [name, lie] of lies) {
  test(`a node that answers with ${name} is passed over`, async (t) => {
    const { connect, port } = await addressed(t, [lie, null, null, null]);
    const client = await connect(known(port));
    const { receipts } = await client.submit([write]);
    t.like(receipts[0]!.result, { version: 1, modRevision: 1 });
    const { result } = await client.module(kv).ask.get({ namespace: 'n', key: 'a' });
    t.is(result.value, 1);
    const found = await client.row('kv', 'entries', 'n/a');
    t.like(found.result, { value: 1 });
  });
}

test('results that nodes make up are not looked at', async (t) => {
  const made = altering((answer) => ({ ...answer, height: 1e9, result: { balance: '999999' } }));
  const { connect, port } = await addressed(t, [made]);
  const client = await connect(known(port));
  const { result, height } = await client.module(ledger).ask.account({ account: 'alice' });
  t.is(String(result.balance), '1000');
  t.true(height < 1e9);
});

test('X5: rows of another key prove nothing about the one that was asked for', async (t) => {
  const other: Behaviour = (path, ask) =>
    path.includes('proof=1') ? ask(path.replaceAll('alice', 'bob')) : ask();
  const { ending, signal } = endingAfter(2, other);
  const { connect, port } = await addressed(t, [ending]);
  const client = await connect(known(port));
  const asked = client.module(ledger).ask.account({ account: 'alice' }, { signal });
  const error = await t.throwsAsync(asked, { instanceOf: AlthingError });
  t.is(error.code, 'not_proved');
  t.regex(error.message, /says nothing of "alice"/);
});

test('X4: an answer that was true once is not given again', async (t) => {
  let kept: Uint8Array<ArrayBuffer> | null = null;
  const stale: Behaviour = async (path, ask) => {
    if (!path.includes('/kv/get') || !path.includes('proof=1')) return ask();
    kept ??= new Uint8Array(await (await ask()).arrayBuffer());
    return new Response(kept);
  };
  const { connect, port } = await addressed(t, [stale, null]);
  const keys = (await connect(known(port))).module(kv);
  await keys.send.set(set('a', 1));
  t.is((await keys.ask.get({ namespace: 'n', key: 'a' })).result.value, 1);
  await keys.send.set(set('a', 2));
  t.is((await keys.ask.get({ namespace: 'n', key: 'a' })).result.value, 2);
});

test('X4: an answer that is older than was asked for is refused', async (t) => {
  const maxAgeMs = -60_000;
  const of = async (options: Partial<ClientOptions>, read: ReadOptions): Promise<string> => {
    const { ending, signal } = endingAfter(2);
    const { connect, port } = await addressed(t, [ending]);
    const client = await connect({ ...known(port), ...options });
    return client.row('kv', 'entries', 'n/a', { ...read, signal }).then(
      () => 'answered',
      ({ code }: AlthingError) => code,
    );
  };
  t.is(await of({}, { maxAgeMs }), 'stale_answer');
  t.is(await of({ maxAgeMs }, {}), 'stale_answer');
  t.is(await of({ maxAgeMs }, { maxAgeMs: 60_000 }), 'answered');
});

test('X1: a receipt for what never executed is not believed, and it executes at another node', async (t) => {
  let lies = 0;
  const pretending: Behaviour = async (path, ask) => {
    if (path !== '/api/v11/transactions') return ask();
    // The real answer to the first, and the same for whatever comes later.
    lies++;
    const { id } = submissionSent();
    return new Response(outcomeOf(id));
  };
  const { connect, port, lastBody } = await addressed(t, [pretending, null]);
  const submissionSent = () => ({ id: lastBody.id });
  const client = await connect(known(port));
  const { receipts } = await client.submit([write]);
  t.true(lies > 0);
  t.like(receipts[0]!.result, { version: 1 });
  // However often it was sent meanwhile.
  const now = await client.row('kv', 'entries', `${write.args.namespace}/${write.args.key}`);
  t.like(now.result, { version: 1 });
  t.true(port.submitted > 0);
});

test('X1: when every node lies, the outcome is unknown, and not what they say', async (t) => {
  const { ending, signal } = endingAfter(2, (path, _ask, { id }) =>
    path === '/api/v11/transactions' ? new Response(outcomeOf(id)) : null,
  );
  const { connect, port } = await addressed(t, [ending]);
  const client = await connect(known(port));
  const sent = client.submit([write], { signal });
  const error = await t.throwsAsync(sent, { instanceOf: OutcomeUnknown });
  t.regex(error.message, /does not prove it/);
  t.is(port.submitted, 0);
});

test('X2: a lie about an unknown transaction needs f + 1 nodes', async (t) => {
  const hiding: Behaviour = (path, ask) =>
    isWrite(path) && path.includes('proof=1') ? problem(404, 'unknown_transaction') : ask();
  const { connect, port } = await addressed(t, [null, hiding]);
  const client = await connect(known(port));
  const { id } = await client.submit([write]);
  client.nodes.distrust(0);
  t.is((await client.receipts(id)).id, id);
});

test('X3: a node that does not answer costs its time, and no more', async (t) => {
  const { connect, port } = await addressed(t, [
    (path, ask) => (path.includes('proof=1') ? never() : ask()),
    null,
  ]);
  const client = await connect({ ...known(port), attemptMs: 500 });
  t.is((await client.row('kv', 'entries', 'n/a')).result, undefined);
});

/** As a node writes it: one transaction that succeeded and said nothing. */
function outcomeOf(id: string): Uint8Array<ArrayBuffer> {
  return fromHex(
    `${id}${'0000000000000001'}00000000000000010000 01`.replaceAll(' ', ''),
  ) as Uint8Array<ArrayBuffer>;
}

const strict = { additionalProperties: false };
/** Who placed no order is refused, and that there is none is known from a page. */
const orders = defineModule({
  name: 'orders',
  version: 1,
  description: 'Orders by their owners',
  tables: {
    orders: table('By id', Type.Object({ by: Type.String() }, strict), { owner: ({ by }) => by }),
  },
  events: {},
  commands: ({ command }) => ({
    place: command(
      {
        description: 'Places one',
        args: Type.Object({ id: Type.String(), by: Type.String() }, strict),
      },
      ({ tables }, { id, by }) => tables.orders.set(id, { by }),
    ),
  }),
  queries: ({ query }) => ({
    first: query(
      {
        description: 'The first one of an owner',
        args: Type.Object({ by: Type.String() }, strict),
        result: Type.Object({ id: Type.String() }, strict),
      },
      ({ tables }, { by }) => {
        const [row] = tables.orders.pageBy('owner', { equals: by, limit: 1 }).rows;
        return row === undefined ? refuse('order_not_found', 'there is none') : { id: row[0] };
      },
    ),
  }),
  refusals: { order_not_found: 'The owner has none' },
});

test('X2: a refusal from a page that a node left rows out of is not believed of one node', async (t) => {
  const leavingOut = altering((answer) => {
    const decoded = decodeProof(answer['proof'] as Uint8Array);
    if (!decoded.ok) throw new Error(decoded.error);
    return { ...answer, proof: encodeProof({ ...decoded.value, claims: [] }) };
  });
  const options = { modules: [...builtInModules, orders] };
  const { port, connect } = await addressed(t, [leavingOut, null, leavingOut], options);
  const client = await connect({ ...known(port), modules: [orders] });
  await client.submit([{ module: 'orders', command: 'place', args: { id: 'o1', by: 'me' } }]);
  client.nodes.distrust(1);
  client.nodes.distrust(2);
  const { result } = await client.query('orders', 'first', { by: 'me' });
  t.deepEqual(result, { id: 'o1' });
  const none = client.query('orders', 'first', { by: 'you' });
  t.is((await t.throwsAsync(none, { instanceOf: AlthingError })).code, 'order_not_found');
});

/** What a node that never saw the submission says of it: so many plain outcomes, in full runs. */
const boasting =
  (runs: number, txCount = runs * 65_535): Behaviour =>
  (path, _, { id }) => {
    if (!isWrite(path)) return null;
    const answer = Buffer.alloc(48 + 3 * runs, 0xff);
    Buffer.from(id, 'hex').copy(answer);
    answer.writeBigUInt64BE(5n, 32);
    answer.writeUInt32BE(0, 40);
    answer.writeUInt32BE(txCount, 44);
    for (let run = 0; run < runs; run++) answer[48 + 3 * run] = 0;
    return new Response(answer);
  };

for (const trust of ['proof', 'node'] as const) {
  test(`X3: outcomes of more transactions than were sent cost nothing, with trust in a ${trust}`, async (t) => {
    const { port, connect } = await addressed(t, [boasting(60_000), boasting(60_000, 1), null]);
    const client = await connect({ ...known(port), trust });
    const before = process.memoryUsage().rss;
    const { receipts } = await client.submit([write]);
    t.is(receipts.length, 1);
    t.true(process.memoryUsage().rss - before < 256 * 1024 * 1024);
  });
}

test('what is no submission of this cluster is sent to nobody', async (t) => {
  const { port, connect, asked } = await addressed(t, [null]);
  const client = await connect(known(port));
  const bytes = client.sign([write]);
  const error = await t.throwsAsync(client.resend(bytes.subarray(1)), { instanceOf: AlthingError });
  t.is(error.code, 'malformed');
  const other = await connect({
    trusted: {
      clusterId: 'ab'.repeat(32),
      validators: [...port.cluster.genesis.validators],
    } as never,
  });
  const refused = await t.throwsAsync(other.resend(bytes), { instanceOf: AlthingError });
  t.is(refused.code, 'wrong_cluster');
  t.deepEqual(asked, [0]);
});
