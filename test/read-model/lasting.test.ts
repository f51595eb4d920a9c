/** Which pages of the read model are kept (D5), by the rules and over real tables. */
import test from 'ava';
import { lasts, nameOf, type Extent } from '../../src/read-model/lasting.ts';
import type { ListPage } from '../../src/read-model/pages.ts';
import { LISTS, type List, type Parameters } from '../../src/read-model/queries.ts';
import { resetReadModel } from '../../src/read-model/schema.ts';
import step from '../../src/read-model/worker.ts';
import { put } from './chain.ts';
import { following } from './following.ts';

const listOf = (name: string): List => LISTS.find((each) => each.name === name)!;
const extent: Extent = { generation: 'g', height: 200, settled: 100 };
const page = (...rows: readonly object[]): ListPage => ({
  rows: rows as ListPage['rows'],
  next: null,
});

const row = (height: number, status = 'ok') => ({ height, status });

for (const [what, name, parameters, rows, isKept] of [
  ['the newest', 'transactions', {}, [row(7)], false],
  ['times alone', 'transactions', { until: '2026-01-01T00:00:00Z' }, [row(7)], false],
  ['what lies below a height', 'transactions', { toHeight: 100 }, [row(7)], true],
  ['what is above all', 'transactions', { toHeight: 101 }, [row(7)], false],
  ['a further page', 'transactions', { cursor: '100.3' }, [row(7)], true],
  ['one above all', 'transactions', { cursor: '101.0' }, [row(7)], false],
  ['the lower of two bounds', 'transactions', { cursor: '9.1', toHeight: 500 }, [row(7)], true],
  ['no rows', 'transactions', { toHeight: 100 }, [], false],
  ['an id', 'transactions', { id: 'ab' }, [row(100)], true],
  ['one whose block may be there in part', 'transactions', { id: 'ab' }, [row(101)], false],
  ['one that is not there', 'transactions', { id: 'ab' }, [], false],
  ['failures', 'transactions', { toHeight: 9, status: 'failed' }, [row(7, 'failed')], true],
  ['blocks', 'blocks', { cursor: '200' }, [row(199)], true],
  ['blocks above all', 'blocks', { cursor: '201' }, [row(200)], false],
  ['votes for blocks', 'consensus-votes', { cursor: '200.node-2' }, [row(199)], true],
  ['votes of decided rounds', 'approvals', { toHeight: 9 }, [row(7, 'approved')], true],
  ['one open round', 'approvals', { toHeight: 9 }, [row(8, 'open'), row(7, 'expired')], false],
  ['a round by name', 'approvals', { round: 'r' }, [row(7, 'approved')], false],
  ['one below a height', 'approvals', { round: 'r', toHeight: 9 }, [row(7, 'approved')], true],
  ['a status', 'approvals', { status: 'approved', toHeight: 9 }, [row(7, 'approved')], false],
  ['a finished transfer', 'bridge-transfers', { id: 'out-1' }, [row(7, 'released')], true],
  ['an open transfer', 'bridge-transfers', { id: 'out-1' }, [row(7, 'open')], false],
] as const) {
  test(`D5: ${what} of ${name}: ${isKept ? 'kept' : 'not kept'}`, (t) => {
    t.is(lasts(listOf(name), parameters as Parameters, page(...rows), extent), isKept);
  });
}

test('a question has one name, in whatever order its parameters come', (t) => {
  const list = listOf('blocks');
  const name = nameOf('g', list, { cursor: '5', limit: 3 });
  t.is(nameOf('g', list, { limit: 3, cursor: '5' }), name);
  for (const other of [{ cursor: '5' }, { cursor: '5', limit: 4 }, { cursor: '53', limit: 3 }]) {
    t.not(nameOf('g', list, other), name);
  }
  t.not(nameOf('h', list, { cursor: '5', limit: 3 }), name);
  t.not(nameOf('g', listOf('transactions'), { cursor: '5', limit: 3 }), name);
});

test('D5: a page that lasts is read once, and again when the tables are made anew', async (t) => {
  const { chain, cache, model, task, client, reached, listed, asked } = await following(t);
  for (let at = 0; at < 6; at++) await chain.next([[put('a')]]);
  model.start();
  const hits = (): number => cache.figures()[0]!.hits;
  await reached(6);

  const first = await listed(listOf('transactions'), { toHeight: 4 });
  t.is(first.rows.length, 4);
  t.is(hits(), 0);
  t.deepEqual(await listed(listOf('transactions'), { toHeight: 4 }), first);
  t.is(hits(), 1);
  for (const parameters of [{}, { toHeight: 1_000 }]) {
    await listed(listOf('transactions'), parameters);
    await chain.next([[put('b')]]);
    await reached(model.status().height + 1);
    const { rows } = await listed(listOf('transactions'), parameters);
    t.is(rows.length, model.status().height);
  }
  t.is(hits(), 1);
  t.true(asked() > 0, 'it rests by what the node has to do');

  // Whoever makes the tables anew has another answer, as a newer version might.
  await resetReadModel(client);
  while (!(await step(task))!.isAtEnd);
  await step(null);
  await client.query(`UPDATE althing.transaction SET sender = 'somebody else'`);
  const sender = async (): Promise<unknown> =>
    (await listed(listOf('transactions'), { toHeight: 4 })).rows[0]!['sender'];
  while ((await sender()) !== 'somebody else') await new Promise((go) => setTimeout(go, 5));
  const before = hits();
  t.is(await sender(), 'somebody else');
  t.is(hits(), before + 1);
});
