import test from 'ava';
import { InvariantViolation } from '../../protocols/machine.ts';
import type { IndexFunction, Module } from '../../protocols/transaction/module.ts';
import { Queries } from '../../protocols/transaction/queries.ts';
import { upgradeKey } from '../../protocols/transaction/programs.ts';
import type { Digest } from '../../protocols/types.ts';
import { Chain, clusterOf, receiptsOf, signed } from './fixture.ts';
import { scratch } from './modules.ts';
import {
  added,
  chainOf,
  commit,
  failing,
  named,
  OTHER,
  programs,
  put,
  second,
} from './upgrades.ts';

const outcome = (chain: Chain, height: number): unknown =>
  chain.executor.state.tablesOf('programs')['upgrades']!.get(upgradeKey(height));

test('I120: the genesis names what runs, whatever else the node has', (t) => {
  const chain = chainOf([second, scratch, programs]);
  t.deepEqual(
    chain.executor.programs.inForce.map(({ name, version }) => [name, version]),
    [
      ['scratch', 1],
      ['programs', 1],
    ],
  );
  const [receipt] = receiptsOf(chain.run(signed(0, [added])));
  t.is(receipt!.error?.code, 'unknown_command');
});

test('I120: a node that lacks what the genesis names does not start, and says what it needs', (t) => {
  const error = t.throws(() => chainOf([scratch, programs], [second, programs]), {
    instanceOf: InvariantViolation,
  });
  t.is(error.code, 'program_missing');
  t.regex(error.message, new RegExp(`version 2 of module scratch with digest ${OTHER}`));
});

test('I120: a committed upgrade takes over with the block of its height, and brings the rows along', (t) => {
  const chain = chainOf([scratch, second, programs]);
  const first = receiptsOf(chain.run(signed(0, [put, commit(3, second), added])));
  t.is(first[2]!.error?.code, 'unknown_command');
  t.is(receiptsOf(chain.run(signed(1, [added])))[0]!.error?.code, 'unknown_command');
  t.is(receiptsOf(chain.run(signed(2, [added])))[0]!.result, 'by version 2');
  const rows = chain.executor.state.tablesOf('scratch')['rows']!;
  t.is(rows.get('a'), 'from version 1');
  t.deepEqual(rows.pageBy('byKey', { equals: 'a', limit: 1 }).rows, [['a', 'from version 1']]);
  t.throws(() => rows.pageBy('byText', { limit: 1 }));
  t.like(outcome(chain, 3), { outcome: 'active' });
});

test('I120: a node that lacks what was committed stops before that block', (t) => {
  const chain = chainOf([scratch, programs]);
  chain.run(signed(0, [commit(3, second)]));
  chain.run();
  const error = t.throws(() => chain.run(), { instanceOf: InvariantViolation });
  t.is(error.code, 'program_missing');
  t.is(chain.executor.height, 2);
});

test('I121: an upgrade that cannot be brought about leaves everything as it was', (t) => {
  const chain = chainOf([scratch, failing, programs]);
  chain.run(signed(0, [put, commit(2, failing)]));
  const [receipt] = receiptsOf(chain.run(signed(1, [added])));
  t.is(receipt!.error?.code, 'unknown_command');
  const rows = chain.executor.state.tablesOf('scratch')['rows']!;
  t.deepEqual(rows.page({ limit: 10 }).rows, [['a', 'old']]);
  t.deepEqual(rows.pageBy('byText', { equals: 'old', limit: 1 }).rows, [['a', 'old']]);
  t.like(outcome(chain, 2), { outcome: 'failed', reason: 'migration_failed' });
});

test('I121: what came of an upgrade stays, whatever becomes of the transactions of its block', (t) => {
  const fails: Module = {
    ...second,
    commands: new Map([
      [
        'added',
        {
          name: 'added',
          check: () => true,
          run({ tables }) {
            tables['rows']!.set('a', 'undone');
            throw new Error('it fails');
          },
        },
      ],
    ]),
  };
  const chain = chainOf([scratch, fails, programs]);
  chain.run(signed(0, [put, commit(2, fails)]));
  t.is(receiptsOf(chain.run(signed(1, [added])))[0]!.status, 'failed');
  t.like(outcome(chain, 2), { outcome: 'active' });
  t.is(chain.executor.state.tablesOf('scratch')['rows']!.get('a'), 'from version 1');
});

test('I121: what breaks an invariant stops the node, and is no failure of the upgrade', (t) => {
  const broken: Module = {
    ...second,
    migrate() {
      throw new InvariantViolation('broken', 'rows are not what they were');
    },
  };
  const chain = chainOf([scratch, broken, programs]);
  chain.run(signed(0, [put, commit(2, broken)]));
  t.is(t.throws(() => chain.run(), { instanceOf: InvariantViolation }).code, 'broken');
});

test('I120: a genesis that names two modules alike is none', (t) => {
  const two = [scratch, second, programs];
  const error = t.throws(() => chainOf(two, two), { instanceOf: InvariantViolation });
  t.is(error.code, 'module_twice');
});

test('I121: rows that the indexes of a new version cannot place leave the version before', (t) => {
  const misplacing: Module = {
    ...second,
    tables: [
      {
        name: 'rows',
        indexes: new Map([
          [
            'byText',
            () => {
              throw new Error('no place');
            },
          ],
        ]),
      },
    ],
    migrate: () => undefined,
  };
  const chain = chainOf([scratch, misplacing, programs]);
  chain.run(signed(0, [put, commit(2, misplacing)]));
  const [receipt] = receiptsOf(chain.run(signed(1, [added])));
  t.is(receipt!.error?.code, 'unknown_command');
  t.like(outcome(chain, 2), { outcome: 'failed', reason: 'index_failed' });
  const rows = chain.executor.state.tablesOf('scratch')['rows']!;
  t.deepEqual(rows.pageBy('byText', { equals: 'old', limit: 1 }).rows, [['a', 'old']]);
  const again = { module: 'scratch', command: 'put', args: { key: 'b', value: 'new' } };
  t.is(receiptsOf(chain.run(signed(2, [again])))[0]!.status, 'ok');
  t.deepEqual(rows.pageBy('byText', { equals: 'new', limit: 1 }).rows, [['b', 'new']]);
});

test('I121: a new module whose tables cannot be filled is not there, and may come later', (t) => {
  const fresh = (fill: Module['genesis'], version: number): Module => ({
    ...scratch,
    name: 'fresh',
    version,
    genesis: fill,
  });
  const broken = fresh(({ tables }) => {
    tables['rows']!.set('half', 'done');
    throw new Error('it cannot be filled');
  }, 1);
  const mended = fresh(({ tables }) => tables['rows']!.set('begun', true), 2);
  const chain = chainOf([scratch, programs, broken, mended]);
  chain.run(signed(0, [commit(2, broken), commit(4, mended)]));
  const call = { module: 'fresh', command: 'put', args: { key: 'a', value: 1 } };
  t.is(receiptsOf(chain.run(signed(1, [call])))[0]!.error?.code, 'unknown_module');
  t.like(outcome(chain, 2), { outcome: 'failed' });
  const rows = () => chain.executor.state.tablesOf('fresh')['rows']!.page({ limit: 10 }).rows;
  t.deepEqual(rows(), []);
  chain.run();
  t.is(receiptsOf(chain.run(signed(2, [call])))[0]!.status, 'ok');
  t.deepEqual(rows(), [
    ['a', 1],
    ['begun', true],
  ]);
});

test('I120: an upgrade may bring a module that was not there', (t) => {
  const fresh: Module = {
    ...scratch,
    name: 'fresh',
    genesis: ({ tables }) => tables['rows']!.set('begun', true),
  };
  const chain = chainOf([scratch, programs, fresh]);
  chain.run(signed(0, [commit(2, fresh)]));
  chain.run();
  t.deepEqual(chain.executor.state.tablesOf('fresh')['rows']!.page({ limit: 10 }).rows, [
    ['begun', true],
  ]);
  t.is(chain.executor.programs.inForce.length, 3);
});

for (const [what, module] of [
  ['done', second],
  ['failed', failing],
] as const) {
  test(`I109: rows from before an upgrade that is ${what} stay, and no query of the module reads them`, (t) => {
    const chain = chainOf([scratch, module, programs]);
    chain.run(signed(0, [put, commit(3, module)]));
    for (let height = 2; height <= 4; height++) chain.run();
    const { state } = chain.executor;
    const rowAt = (height: number) => state.viewAt(height).tablesOf('scratch')['rows']!.get('a');
    t.is(rowAt(2), 'old');
    t.is(rowAt(3), what === 'done' ? 'from version 1' : 'old');
    const queries = new Queries(chain.executor);
    const ask = (atHeight: number) =>
      queries.run({ module: 'scratch', query: 'get', args: 'a', atHeight });
    t.like(ask(2), { ok: false, code: 'height_pruned' });
    t.like(ask(3), { ok: true, value: what === 'done' ? 'from version 1' : 'old' });
  });
}

/** Its index knows only the rows that its migration makes. */
const reshaped: Module = {
  ...second,
  tables: [
    { name: 'rows', indexes: new Map([['byTag', (row) => (row as { tags: string[] }).tags]]) },
  ],
  migrate({ tables }) {
    for (const [key, text] of tables['rows']!.page({ limit: 100 }).rows) {
      tables['rows']!.set(key, { tags: [text, 'old'] });
    }
  },
};
const read = (chain: Chain) => chain.executor.state.tablesOf('scratch')['rows']!;

test('I120: an upgrade brings an index over what its migration made of the rows', (t) => {
  const chain = chainOf([scratch, reshaped, programs]);
  chain.run(signed(0, [put, commit(2, reshaped)]));
  chain.run();
  t.like(outcome(chain, 2), { outcome: 'active' });
  const row = { tags: ['old', 'old'] };
  t.deepEqual(read(chain).pageBy('byTag', { equals: 'old', limit: 2 }).rows, [['a', row]]);
  const added = { module: 'scratch', command: 'put', args: { key: 'b', value: { tags: ['x'] } } };
  t.is(receiptsOf(chain.run(signed(1, [added])))[0]!.status, 'ok');
  const [found] = read(chain).pageBy('byTag', { equals: 'x', limit: 2 }).rows;
  t.is(found![0], 'b');
});

test('I121: an upgrade whose last index fails leaves the indexes before, of rows old and new', (t) => {
  const half: Module = {
    ...reshaped,
    tables: [
      {
        name: 'rows',
        indexes: new Map<string, IndexFunction>([
          ...reshaped.tables[0]!.indexes,
          ['byNothing', () => 7 as never],
        ]),
      },
    ],
  };
  const chain = chainOf([scratch, half, programs]);
  chain.run(signed(0, [put, commit(2, half)]));
  chain.run(signed(1, [{ ...put, args: { key: 'b', value: 'old' } }]));
  t.like(outcome(chain, 2), { outcome: 'failed', reason: 'index_failed' });
  const keys = read(chain)
    .pageBy('byText', { equals: 'old', limit: 9 })
    .rows.map(([key]) => key);
  t.deepEqual(keys, ['a', 'b']);
  t.throws(() => read(chain).pageBy('byTag', { limit: 1 }));
});

for (const [what, version] of [
  ['older', 1],
  ['of the same version', 2],
] as const) {
  test(`I121: a module that is ${what} takes over from no other`, (t) => {
    const other = { ...scratch, version, digest: 'ef'.repeat(32) as Digest };
    const chain = chainOf([second, other, programs], [second, programs]);
    chain.run(signed(0, [commit(2, other)]));
    chain.run();
    t.like(outcome(chain, 2), { outcome: 'failed', reason: 'not_newer' });
    t.is(chain.executor.programs.named('scratch')!.version, 2);
  });
}

test('I121: an upgrade that has more rows to index than there are steps fails, and says so', (t) => {
  const run = (rows: number) => {
    const cluster = clusterOf({ stepsMax: 256 });
    const genesis = { ...cluster.genesis, programs: [scratch, programs].map(named) };
    const indexed = { ...second, migrate: () => undefined };
    const chain = new Chain({ ...cluster, genesis }, [scratch, indexed, programs]);
    const puts = Array.from({ length: rows }, (_, at) => ({
      ...put,
      args: { key: `k${at}`, value: 1 },
    }));
    chain.run(signed(0, [...puts, commit(2, indexed)]));
    chain.run();
    return outcome(chain, 2);
  };
  t.like(run(500), { outcome: 'active' });
  t.like(run(501), { outcome: 'failed', reason: 'too_expensive' });
});
