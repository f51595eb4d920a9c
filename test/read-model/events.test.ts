import test from 'ava';
import pg from 'pg';
import { builtInModules } from '../../src/modules/built-in.ts';
import { projectEvents } from '../../src/read-model/events.ts';
import { list } from '../../src/read-model/pages.ts';
import { LISTS, type List, type Parameters } from '../../src/read-model/queries.ts';
import { prepareReadModel } from '../../src/read-model/schema.ts';
import step from '../../src/read-model/worker.ts';
import { openTestActor, openTestLog } from '../log/harness.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { alice, bob, START_MS } from '../transaction/fixture.ts';
import { task, WrittenChain } from './chain.ts';

const [APPROVALS, TRANSFERS] = ['approvals', 'bridge-transfers'].map((name) =>
  LISTS.find((each) => each.name === name)!,
) as [List, List];

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(async () => {
  await step(null);
  await server.end();
});

const vote = (command: string, args: object) => ({
  module: 'voting',
  command,
  args: args as never,
});

test.serial('votes of named rounds are rows, with what became of their round', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'writer');
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {});
  t.teardown(async () => {
    await pool.end();
    await log.close();
    await node.close();
  });
  const chain = new WrittenChain(log, builtInModules);
  const voters = [alice, bob].map(({ publicKey }) => ({ voter: `key:${publicKey}`, weight: 1 }));
  await chain.next([[vote('open', { round: 'r1', voters, required: 2 })]]);
  await chain.next([[vote('cast', { round: 'r1', choice: 'approve' })]]);
  const project = async (): Promise<void> => {
    while (!(await step(task(url)))!.isAtEnd);
  };
  const ask = async (parameters: Parameters): Promise<unknown[]> =>
    (await list(pool, APPROVALS, parameters)).page.rows.map(({ voter, status, choice }) => [
      voter,
      status,
      choice,
    ]);
  await project();
  t.deepEqual(await ask({ round: 'r1' }), [[`key:${alice.publicKey}`, 'open', 'approve']]);
  await chain.next([[vote('cast', { round: 'r1', choice: 'approve' })]], false, bob);
  await project();
  t.deepEqual(await ask({ round: 'r1' }), [
    [`key:${bob.publicKey}`, 'approved', 'approve'],
    [`key:${alice.publicKey}`, 'approved', 'approve'],
  ]);
  t.is((await ask({ status: 'open' })).length, 0);
  t.is((await ask({ voter: `key:${alice.publicKey}` })).length, 1);
});

test.serial(
  'a transfer over the bridge is one row, whatever its events and their steps',
  async (t) => {
    const url = await server.newDatabase();
    const node = await openTestLog(url);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const pool = new pg.Pool({ connectionString: url });
    pool.on('error', () => {});
    t.teardown(async () => {
      await pool.end();
      await client.end();
      await node.close();
    });
    await prepareReadModel(client);
    const data = {
      transfer: 'out-000000000001',
      direction: 'out',
      outsideId: null,
      asset: 'coin',
      to: 'an address',
      amount: 2n ** 62n,
      deadline: START_MS,
    };
    const at = (height: number, name: string, more: object = {}, module = 'bridge') => ({
      module,
      name,
      data: { ...data, ...more } as never,
      height,
      index: 0,
      ordinal: 0,
      time: new Date(START_MS + height),
    });
    const ask = async (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
      (await list(pool, TRANSFERS, {})).page.rows;
    await projectEvents(client, [at(1, 'locked'), at(1, 'attested', { attestations: 1 })]);
    t.like((await ask())[0], { status: 'open', attestations: 1, amount: (2n ** 62n).toString() });
    await projectEvents(client, [
      at(2, 'attested', { attestations: 2, outsideId: 'o7' }),
      at(2, 'released', {}, 'ledger'),
    ]);
    t.like((await ask())[0], { status: 'open', attestations: 2, outsideId: 'o7' });
    await projectEvents(client, [at(3, 'released')]);
    const rows = await ask();
    t.is(rows.length, 1);
    t.like(rows[0], { status: 'released', attestations: 2, outsideId: 'o7', height: 1 });
  },
);

test('what a cursor may be is the form that its list gives', (t) => {
  for (const { parameters } of LISTS) {
    const { pattern } = parameters.properties['cursor'] as unknown as { pattern: string };
    for (const wrong of ['', 'x', '1.', '-1', "1'; DROP TABLE", '1.99999999999999999999']) {
      const fits = new RegExp(pattern).test(wrong);
      t.true(!fits || wrong.startsWith('1.9'), `${pattern} takes ${wrong}`);
    }
  }
});
