/** What the ledger tells of the past of an account. */
import test from 'ava';
import { bob, START_MS } from '../../transaction/fixture.ts';
import type { World } from '../run.ts';
import { books, call, open, pend, transfer } from './books.ts';

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: number | null;
}
interface Kept {
  readonly transfer: string;
  readonly timestamp: number;
}

function ask<Row>(w: World, query: string, args: object): Page<Row> {
  const { next, ...lists } = w.ask('ledger', query, args) as { next: number | null };
  return { rows: Object.values(lists)[0] as Row[], next };
}

/** The ids of all pages of a query. */
function walk(w: World, query: string, args: object): string[] {
  const ids: string[] = [];
  let after: number | null | undefined;
  while (after !== null) {
    const more = after === undefined ? {} : { after };
    const page: Page<Kept> = ask(w, query, { ...args, ...more });
    ids.push(...page.rows.map((row) => row.transfer));
    after = page.next;
  }
  return ids;
}

function world(): World {
  const w = books({ withHistory: true });
  w.run([transfer('a', 'b', 1, 'one'), transfer('a', 'kept', 2, 'two')]);
  w.run([transfer('kept', 'a', 1, 'three'), pend('four', 5, { code: 7, userData: 'u' })]);
  w.run([call('post', { pendingId: 'four', id: 'five', amount: 3 })], bob);
  w.run([transfer('a', 'kept', 4)]);
  return w;
}

for (const limit of [1, 2, 100]) {
  test(`lists the transfers of an account in order of time and back, ${limit} at a time`, (t) => {
    const w = world();
    const all = walk(w, 'accountTransfers', { account: 'a', limit });
    t.is(all.length, 7);
    t.deepEqual(all.slice(1, 6), ['one', 'two', 'three', 'four', 'five'], 'after it was issued');
    const back = walk(w, 'accountTransfers', { account: 'a', limit, reversed: true });
    t.deepEqual(back, all.toReversed());
    t.deepEqual(walk(w, 'accountTransfers', { account: 'b', limit }), ['one', 'four', 'five']);
    t.deepEqual(walk(w, 'accountTransfers', { account: 'kept', limit }).slice(0, 2), [
      'two',
      'three',
    ]);
  });

  test(`filters transfers by side, state, code and user data, ${limit} at a time`, (t) => {
    const w = world();
    const ids = (filter: object) => walk(w, 'accountTransfers', { account: 'a', limit, ...filter });
    t.deepEqual(ids({ side: 'credits' }).slice(1), ['three']);
    t.is(ids({ side: 'debits' }).length, 5);
    t.deepEqual(ids({ status: 'posted' }), ['four']);
    t.deepEqual(ids({ status: 'pending' }), []);
    t.deepEqual(ids({ code: 7 }), ['four', 'five']);
    t.deepEqual(ids({ userData: 'u', reversed: true }), ['five', 'four']);
  });

  test(`a range of time has both its ends, ${limit} at a time`, (t) => {
    const w = world();
    const { rows } = ask<Kept>(w, 'accountTransfers', { account: 'a' });
    const [, , two, , four] = rows;
    const range = { timestampMin: two!.timestamp, timestampMax: four!.timestamp };
    const ids = (more: object) =>
      walk(w, 'accountTransfers', { account: 'a', limit, ...range, ...more });
    t.deepEqual(ids({}), ['two', 'three', 'four']);
    t.deepEqual(ids({ reversed: true }), ['four', 'three', 'two']);
    t.is(walk(w, 'accountBalances', { account: 'a', limit, ...range }).length, 3);
    t.deepEqual(ids({ timestampMax: two!.timestamp - 1 }), []);
  });
}

test('timestamps are the block’s, in microseconds, and no two are the same', (t) => {
  const w = world();
  const { rows } = ask<Kept>(w, 'accountTransfers', { account: 'a' });
  t.is(rows[0]!.timestamp, (START_MS + 10) * 1000);
  t.is(rows[1]!.timestamp, (START_MS + 20) * 1000);
  t.is(rows[2]!.timestamp, (START_MS + 20) * 1000 + 1);
  t.is(new Set(rows.map(({ timestamp }) => timestamp)).size, rows.length);
});

test('an account with history tells what each transfer left in it', (t) => {
  const w = world();
  const { rows } = ask<Record<string, unknown>>(w, 'accountBalances', { account: 'kept' });
  const shown = rows.map(({ debitsPosted, creditsPosted }) => [debitsPosted, creditsPosted]);
  t.deepEqual(shown, [
    ['0', '2'],
    ['1', '2'],
    ['1', '6'],
  ]);
  t.like(rows[0], { transfer: 'two', debitsPending: '0', creditsPending: '0' });
  const back = walk(w, 'accountBalances', { account: 'kept', reversed: true, limit: 1 });
  t.is(back[2], 'two');
});

test('an account without history says so, and so does none', (t) => {
  const w = world();
  for (const query of ['accountTransfers', 'accountBalances']) {
    t.is(w.ask('ledger', query, { account: 'loose' }), 'history_not_kept');
    t.is(w.ask('ledger', query, { account: 'nobody' }), 'account_not_found');
  }
});

test('balances that were kept do not show that a pending transfer ended by time', (t) => {
  const w = world();
  w.run([pend('brief', 5, { to: 'kept', timeoutMs: 5 })]);
  const kept = () => ask<Record<string, unknown>>(w, 'accountBalances', { account: 'kept' }).rows;
  const before = kept();
  t.is(before.at(-1)!['creditsPending'], '5');
  w.chain.next([]);
  t.like(w.ask('ledger', 'account', { account: 'kept' }), { creditsPending: '0' });
  t.deepEqual(kept(), before);
});

test('the account of a name that begins with another’s does not show', (t) => {
  const w = books({ withHistory: true });
  w.run([
    open('a.b', { flags: ['history'] }),
    transfer('a', 'a.b', 1, 'x'),
    transfer('a', 'b', 1, 'y'),
  ]);
  t.deepEqual(walk(w, 'accountTransfers', { account: 'a.b' }), ['x']);
  t.deepEqual(walk(w, 'accountTransfers', { account: 'a' }).slice(1), ['x', 'y']);
});
