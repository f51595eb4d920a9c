/** What modules and their users say that PostgreSQL would refuse (D6). */
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { defineModule, refuse, Type } from '../../src/module.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import type { DefinedModule } from '../../src/modules/define.ts';
import { projectEvents } from '../../src/read-model/events.ts';
import { columnsOf, TEXT_LENGTH_MAX } from '../../src/read-model/insert.ts';
import { prepareReadModel } from '../../src/read-model/schema.ts';
import step from '../../src/read-model/worker.ts';
import { openTestActor } from '../log/harness.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { alice, Chain, clusterOf, receiptsOf, signed, START_MS } from '../transaction/fixture.ts';
import { newBed } from './bed.ts';
import { task, WrittenChain } from './chain.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(async () => {
  await step(null);
  await server.end();
});

const refusing = (code: string): DefinedModule =>
  defineModule({
    name: 'rude',
    version: 1,
    description: 'Refuses with a code of its own.',
    tables: {},
    events: {},
    commands: ({ command }) => ({
      go: command({ description: 'Refuses.', args: Type.Object({}) }, () => refuse(code, 'no')),
    }),
    queries: () => ({}),
  });

const call = (module: string, command: string, args: object) => ({
  module,
  command,
  args: args as never,
});

test.serial(
  'D6: texts that people choose hold U+0000 and do not stop the projection',
  async (t) => {
    const { url, sql } = await newBed(t, server);
    const log = await openTestActor(url, 'writer');
    t.teardown(() => log.close());
    const key = `key:${alice.publicKey}`;
    const config = {
      ledger: { issuers: [key], assets: [{ asset: 'gold', issuers: [key] }] },
      bridge: { attesters: [key], required: 1, assets: ['gold'] },
    };
    const modules = [...builtInModules, refusing('no\u0000')];
    const enroll = [call('bridge', 'enroll', { asset: 'gold' })];
    const beside = new Chain(clusterOf({ transactionsPerSubmissionMax: 5_000 }, config), modules);
    const [enrolled] = receiptsOf(beside.run(signed(0, enroll, { signer: alice })));
    const { account } = enrolled!.result as { account: string };

    const chain = new WrittenChain(log, modules, config);
    await chain.next([enroll, [call('ledger', 'issue', { account, amount: 10 })]]);
    await chain.next([[call('bridge', 'lock', { asset: 'gold', to: '0xabc\u0000', amount: 1 })]]);
    await chain.next([[call('rude', 'go', {})], [call('mod\u0000ule', 'comm\u0000and', {})]]);
    await chain.next([[call('kv', 'set', { namespace: 'a', key: 'b', value: 1 })]]);
    while (!(await step(task(url)))!.isAtEnd);

    const transactions = await sql.query(
      'SELECT module, command, status, error FROM althing.transaction ORDER BY height, index',
    );
    t.deepEqual(
      (transactions.rows as Record<string, unknown>[]).map((row) => Object.values(row)),
      [
        ['bridge', 'enroll', 'ok', null],
        ['ledger', 'issue', 'ok', null],
        ['bridge', 'lock', 'ok', null],
        ['rude', 'go', 'failed', 'no\ufffd'],
        ['mod\ufffdule', 'comm\ufffdand', 'failed', 'unknown_module'],
        ['kv', 'set', 'ok', null],
      ],
    );
    const { rows } = await sql.query('SELECT "to", amount, status FROM althing.bridge_transfer');
    t.deepEqual(rows, [{ to: '0xabc\ufffd', amount: '1', status: 'open' }]);
  },
);

const at = (module: string, name: string, data: unknown, ordinal = 0) => ({
  module,
  name,
  data: data as never,
  height: 1,
  index: 0,
  ordinal,
  time: new Date(START_MS),
});
const transfer = {
  transfer: 'out-1',
  direction: 'out',
  outsideId: null,
  asset: 'coin',
  to: 'an address',
  amount: 2n ** 64n - 1n,
  deadline: START_MS,
};
const vote = { round: 'r', voter: 'key:a', choice: 'approve', weight: 1 };
/** No compression makes it shorter. */
const long = randomBytes(50_000).toString('hex');

test.serial('D6: no event stops the projection, whatever it holds', async (t) => {
  const { sql } = await newBed(t, server);
  await prepareReadModel(sql);
  const evil = ['\u0000', '\ud800', '𝒳'.repeat(5_000), long, '{"a",\\', ''];
  const votes = evil.flatMap((text) => [
    { ...vote, round: text },
    { ...vote, voter: text },
    { ...vote, choice: text },
  ]);
  await projectEvents(sql, [
    ...votes.map((data, ordinal) => at('voting', 'voted', data, ordinal)),
    at('voting', 'voted', { ...vote, weight: Number.MAX_SAFE_INTEGER }, 100),
    ...evil.map((text) => at('voting', 'decided', { round: text, status: text })),
  ]);
  const transfers = evil.flatMap((text) =>
    ['transfer', 'direction', 'outsideId', 'asset', 'to'].map((name) => ({
      ...transfer,
      transfer: `${name} ${text}`,
      [name]: text,
    })),
  );
  const numbers = [
    { deadline: Number.MAX_SAFE_INTEGER },
    { deadline: -Number.MAX_SAFE_INTEGER },
    { deadline: 8.64e15 },
    { attestations: Number.MAX_SAFE_INTEGER },
    { transfer: `${long}1` },
    { transfer: `${long}2` },
  ].map((each, number) => ({ ...transfer, transfer: `number-${number}`, ...each }));
  for (const data of [...transfers, ...numbers]) {
    await t.notThrowsAsync(projectEvents(sql, [at('bridge', 'locked', data)]));
  }
  await t.notThrowsAsync(
    projectEvents(
      sql,
      [...transfers, ...numbers].map((data) => at('bridge', 'attested', data)),
    ),
  );
  const { rows } = await sql.query('SELECT max(length("to")) FROM althing.bridge_transfer');
  t.deepEqual(rows, [{ max: TEXT_LENGTH_MAX }]);
});

test.serial('an event of another form is no row', async (t) => {
  const { sql } = await newBed(t, server);
  await prepareReadModel(sql);
  for (const data of [null, 1, 'x', [], {}, { ...vote, weight: '1' }, { ...transfer, to: null }]) {
    await projectEvents(sql, [
      at('voting', 'voted', data),
      at('voting', 'decided', data),
      at('bridge', 'locked', data),
    ]);
  }
  const { rows } = await sql.query(
    `SELECT (SELECT count(*) FROM althing.approval) + (SELECT count(*) FROM althing.bridge_transfer) AS count`,
  );
  t.deepEqual(rows, [{ count: '0' }]);
});

test('names of transactions fit into their indexes together', (t) => {
  const columns = [
    ['module', 'text'],
    ['command', 'text'],
  ] as const;
  const [modules, commands] = columnsOf(columns, [
    ['\uffff'.repeat(1_000), '\uffff'.repeat(1_000)],
  ]);
  t.true(Buffer.byteLength(`${String(modules![0])}${String(commands![0])}`) < 2_600);
});
