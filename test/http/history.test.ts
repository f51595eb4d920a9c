/** What the history routes take, before anybody asks the database. */
import test from 'ava';
import { LISTS, type Parameters } from '../../src/read-model/queries.ts';
import type { ReadModel } from '../../src/read-model/read-model.ts';
import { start } from './start.ts';

const BAD: readonly (readonly [string, string, string])[] = [
  ['transactions', 'since=2026-99-01T12:00:00Z', 'since'],
  ['transactions', 'since=2026-01-31T::::::Z', 'since'],
  ['transactions', 'until=2026-01-31T24:00:00Z', 'until'],
  ['blocks', 'until=2026-01-32T00:00:00Z', 'until'],
  ['transactions', 'sender=%00', 'sender'],
  ['transactions', 'module=a%00', 'module'],
  ['transactions', 'command=a%00.b', 'command'],
  ['transactions', 'command=a.%00', 'command'],
  ['consensus-votes', 'validator=%00', 'validator'],
  ['consensus-votes', 'cursor=1.%00', 'cursor'],
  ['approvals', 'round=%00', 'round'],
  ['approvals', 'voter=%00', 'voter'],
  ['bridge-transfers', 'id=%00', 'id'],
  ['bridge-transfers', 'cursor=1.%00', 'cursor'],
  ['transactions', 'sender=a&status=ok', 'status'],
  ['transactions', 'module=kv&command=kv.set', 'command'],
  ['approvals', 'round=r&voter=v', 'voter'],
  ['bridge-transfers', 'direction=in&status=open', 'status'],
];

const GOOD: readonly (readonly [string, string])[] = [
  ['transactions', 'sender=a&since=2026-02-30T12:00:00Z&until=2026-12-31T23:59:59.123456Z&limit=5'],
  ['transactions', 'command=kv.set&fromHeight=1&toHeight=9&cursor=5.1'],
  ['approvals', 'voter=%C3%A9&since=0000-01-01T00:00Z'],
];

test('what the database could not answer, or not at once, is refused with the field at fault', async (t) => {
  const { url, port } = await start(t, 'fallback');
  const asked: Parameters[] = [];
  const model = {
    status: () => ({ height: 1 }),
    list: (_list: unknown, parameters: Parameters) => {
      asked.push(parameters);
      return Promise.resolve({ rows: [], next: null });
    },
  };
  Object.assign(port, { readModel: () => model as unknown as ReadModel });
  for (const [list, query, field] of BAD) {
    const answer = await fetch(`${url}/api/v11/history/${list}?${query}`);
    t.is(answer.status, 422, query);
    const isPair = /&(status|command|module|voter|validator|id|sender|direction)=/.test(query);
    t.like(await answer.json(), { code: isPair ? 'one_filter_at_a_time' : 'invalid_args', field });
  }
  t.is(asked.length, 0);
  for (const [list, query] of GOOD) {
    const answer = await fetch(`${url}/api/v11/history/${list}?${query}`);
    t.is(answer.status, 200, query);
  }
  t.is(asked.length, GOOD.length);
});

test('times go to the database as times', (t) => {
  const [transactions] = LISTS;
  for (const since of ['2026-02-30T12:00:00Z', '0000-01-01T00:00Z', '9999-12-31T23:59:59.999Z']) {
    const [value] = transactions!.sql({ since, limit: 1 }).values;
    t.false(Number.isNaN((value as Date).getTime()), since);
  }
});

test('a name in the path is not given again as a parameter', async (t) => {
  const { url } = await start(t, 'fallback');
  const path = `${url}/api/v11/ledger/accounts/alice`;
  const twice = await fetch(`${path}?account=bob`);
  t.is(twice.status, 422);
  t.like(await twice.json(), { code: 'invalid_args', field: 'account' });
  t.not((await fetch(path)).status, 422);
});
