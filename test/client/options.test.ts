/** What callers give: nothing of it is passed over in silence. */
import test from 'ava';
import { AlthingError } from '../../src/client/errors.ts';
import { connect } from '../../src/client/index.ts';
import type { Client } from '../../src/client/client.ts';
import type { kv } from '../../src/modules/kv/kv.ts';
import { addressed } from './cluster.ts';

const urls = ['http://127.0.0.1:1'];
const unknown: Readonly<Record<string, object>> = {
  gensis: { urls, gensis: '{}' },
  patienceMs: { urls, patienceMs: 3_000 },
  url: { url: urls },
};

for (const [name, options] of Object.entries(unknown)) {
  test(`a client is not connected with the unknown option ${name}`, async (t) => {
    const error = await t.throwsAsync(connect(options as never), { instanceOf: AlthingError });
    t.deepEqual([error.code, error.field], ['bad_option', name]);
    t.regex(error.message, new RegExp(`^unknown option ${name}; there are urls, genesis, `));
  });
}

for (const options of [{}, undefined, { urls: [] }]) {
  test(`a client is told to give urls where there are ${JSON.stringify(options)}`, async (t) => {
    const error = await t.throwsAsync(connect(options as never), { instanceOf: AlthingError });
    t.deepEqual([error.code, error.field], ['no_node', 'urls']);
    t.regex(error.message, /urls: \['http:/);
  });
}

test('an option that takes a few values, or a list, takes nothing else', async (t) => {
  const values = { trust: 'nodes', urls: urls[0], modules: 'kv' };
  for (const [name, value] of Object.entries(values)) {
    const error = await t.throwsAsync(connect({ urls, [name]: value as never }));
    t.like(error, { code: 'bad_option', field: name });
  }
  const trusted = { clusterId: '', validators: [], heigth: 7 };
  const error = await t.throwsAsync(connect({ urls, trusted: trusted as never }));
  t.like(error, { code: 'bad_option', field: 'heigth' });
});

const at = { namespace: 'n', key: 'k', value: 1 };
const bytes = new Uint8Array(0);
type With = (client: Client, options: never) => unknown;
const functions: Readonly<Record<string, With>> = {
  submit: (client, options) => client.submit([], options),
  sign: (client, options) => client.sign([], options),
  resend: (client, options) => client.resend(bytes, options),
  call: (client, options) => client.call('kv', 'set', {}, options),
  receipts: (client, options) => client.receipts('' as never, options),
  query: (client, options) => client.query('kv', 'get', {}, options),
  row: (client, options) => client.row('kv', 'entries', 'n/a', options),
  subscribe: (client, options) => client.subscribe(options),
  neverExecutes: (client, options) => client.neverExecutes(null, options),
  'module(…).send': (client, options) => client.module<typeof kv>('kv').send.set(at, options),
  'module(…).ask': (client, options) => client.module<typeof kv>('kv').ask.get(at, options),
};

for (const [name, run] of Object.entries(functions)) {
  test(`${name} refuses an option that it does not know`, async (t) => {
    const { connect: connectHere } = await addressed(t, [null]);
    const client = await connectHere();
    const given = { topic: ['kv.set'] } as never;
    const error = await t.throwsAsync(async () => run(client, given));
    t.like(error, { code: 'bad_option', field: 'topic' });
  });
}

test('what a module tells is of that module, and proved', async (t) => {
  const client = await (await addressed(t, [null])).connect();
  for (const [name, value] of Object.entries({
    trust: 'node',
    modules: ['ledger'],
    blocks: true,
  })) {
    const options = { [name]: value } as never;
    const error = await t.throwsAsync(async () =>
      client.module<typeof kv>('kv').subscribe(options),
    );
    t.like(error, { code: 'bad_option', field: name });
    t.regex(error.message, /^unknown option/);
  }
});

test('a row and a query do not take another consistency for none', async (t) => {
  const client = await (await addressed(t, [null])).connect();
  const options = { consistency: 'linearisable' as never };
  const error = await t.throwsAsync(client.query('kv', 'get', {}, options));
  t.like(error, { code: 'bad_option', field: 'consistency' });
  t.regex(error.message, /'finalized' or 'linearizable'/);
});

for (const name of ['blocks', 'transactions'] as const) {
  test(`that ${name} are not proved is said of ${name}`, async (t) => {
    const { connect: connectHere, port } = await addressed(t, [null]);
    const client = await connectHere({ genesis: port.cluster.genesis });
    const error = t.throws(() => client.subscribe({ [name]: true }));
    t.like(error, { code: 'bad_option', field: name });
  });
}

test('a genesis document that is a path is told to be given as text', async (t) => {
  const error = await t.throwsAsync(connect({ urls, genesis: 'genesis.json' }));
  t.like(error, { code: 'bad_genesis' });
  t.regex(error.message, /give the text of the file, not its name$/);
});
