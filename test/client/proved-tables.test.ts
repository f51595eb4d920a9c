/** X5: queries over rows that were proved, and over nothing else. */
import test from 'ava';
import type { Certified } from '../../protocols/proofs/certification.ts';
import type { Fact } from '../../protocols/proofs/verify.ts';
import type { Module } from '../../protocols/transaction/module.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { AlthingError } from '../../src/client/errors.ts';
import { computeProved } from '../../src/client/proved-tables.ts';
import { defineModule, table, Type } from '../../src/module.ts';
import { loadUserModule } from '../../src/modules/user/load.ts';

const strict = { additionalProperties: false };
const Page = Type.Object(
  { keys: Type.Array(Type.String()), next: Type.Union([Type.String(), Type.Null()]) },
  strict,
);
const Asked = Type.Object({ limit: Type.Integer(), by: Type.Optional(Type.String()) }, strict);

const shop = defineModule({
  name: 'shop',
  version: 1,
  description: 'Orders',
  tables: {
    orders: table('By id', Type.Object({ by: Type.String(), note: Type.String() }, strict), {
      owner: ({ by }) => by,
      letters: ({ by }) => [by, `${by}z`],
    }),
    others: table('By id', Type.Object({ by: Type.String() }, strict), {}),
  },
  events: {},
  commands: () => ({}),
  queries: ({ query }) => ({
    get: query(
      {
        description: 'One',
        args: Type.Object({ id: Type.String() }, strict),
        result: Type.Boolean(),
      },
      ({ tables }, { id }) => tables.orders.get(id) !== undefined,
    ),
    all: query({ description: 'All', args: Asked, result: Page }, ({ tables }, { limit }) => {
      const { rows, next } = tables.orders.page({ limit });
      return { keys: rows.map(([key]) => key), next };
    }),
    owned: query(
      { description: 'Of one', args: Asked, result: Page },
      ({ tables }, { limit, by = '' }) => {
        const { rows, next } = tables.orders.pageBy('owner', { equals: by, limit });
        return { keys: rows.map(([key]) => key), next };
      },
    ),
    ordered: query(
      { description: 'By owner', args: Asked, result: Page },
      ({ tables }, { limit, by = '' }) => {
        const { rows, next } = tables.orders.pageBy('letters', { prefix: by, limit });
        return { keys: rows.map(([key]) => key), next };
      },
    ),
  }),
}) as unknown as Module;

const certified = { block: { timestamp: 5 }, executed: { height: 7 } } as unknown as Certified;
const row = (key: string, by: string, note = ''): Fact => ({
  kind: 'row',
  table: 'shop/orders',
  key,
  row: { by, note },
});
const compute = (query: string, args: Value, facts: readonly Fact[]) =>
  computeProved(shop, query, args, { certified, facts });

test('a row is there, or not, where a proof says so', (t) => {
  const none: Fact = { kind: 'absence', table: 'shop/orders', key: 'b' };
  t.deepEqual(compute('get', { id: 'a' }, [row('a', 'me'), none]), {
    value: true,
    isComplete: true,
  });
  t.deepEqual(compute('get', { id: 'b' }, [row('a', 'me'), none]), {
    value: false,
    isComplete: true,
  });
  const elsewhere: Fact = { kind: 'row', table: 'shop/others', key: 'c', row: { by: 'me' } };
  const error = t.throws(() => compute('get', { id: 'c' }, [row('a', 'me'), elsewhere]), {
    instanceOf: AlthingError,
  });
  t.is(error.code, 'not_proved');
});

const orders = ['a', 'b', 'c', 'd', 'e'].map((key, at) => row(key, at % 2 === 0 ? 'ann' : 'bob'));

for (const [query, by] of [
  ['all', undefined],
  ['owned', 'ann'],
  ['ordered', 'a'],
  ['ordered', 'ann'],
] as const) {
  test(`a page of ${query}${by ?? ''} goes on where that of all rows does`, (t) => {
    const args = { limit: 2, ...(by === undefined ? {} : { by }) };
    const whole = compute(query, args, orders);
    const { keys, next } = whole.value as { keys: string[]; next: string };
    t.is(keys.length, 2);
    t.false(whole.isComplete);
    // The proof that nodes give has the rows of the page, and no more.
    const shown = orders.filter((fact) => fact.kind === 'row' && keys.includes(fact.key));
    t.deepEqual(compute(query, args, shown), whole);
    t.not(next, null);
  });
}

test('a page that its bytes fill goes on, too', (t) => {
  const large = orders.map((_, at) => row(`k${at}`, 'ann', 'x'.repeat(12_000)));
  const args = { limit: 100 };
  const whole = compute('all', args, large);
  const { keys } = whole.value as { keys: string[] };
  t.true(keys.length < 5);
  t.deepEqual(compute('all', args, large.slice(0, keys.length)), whole);
});

test('a module whose query runs on is stopped, as nodes stop it', (t) => {
  const text = `import { defineModule, Type } from 'althing/module';
    const None = Type.Object({});
    export default defineModule({ name: 'm', version: 1, description: 'M.', queries: ({ query }) => ({ q: query({ description: 'Q.', args: None, result: None }, () => { for (;;); }) }) });`;
  const module = loadUserModule({ file: 'm.js', text });
  const error = t.throws(() => computeProved(module, 'q', {}, { certified, facts: [] }), {
    instanceOf: AlthingError,
  });
  t.is(error.code, 'not_proved');
});
