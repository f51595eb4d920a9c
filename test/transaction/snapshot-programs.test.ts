/** What runs where a node starts from a snapshot. */
import test from 'ava';
import { InvariantViolation } from '../../protocols/machine.ts';
import type { Module } from '../../protocols/transaction/module.ts';
import { Chain, receiptsOf, signed } from './fixture.ts';
import { scratch } from './modules.ts';
import { loadSnapshot, snapshotOf } from './snapshots.ts';
import { added, clusterWith, commit, failing, named, programs, put, second } from './upgrades.ts';

test('I138: who starts from a snapshot runs what its rows name, and needs nothing from before', (t) => {
  const first: Module = {
    ...scratch,
    tables: [...scratch.tables, { name: 'dropped', indexes: new Map() }],
    genesis: ({ tables }) => tables['dropped']!.set('kept', 'by the chain'),
  };
  const failed: Module = { ...failing, version: 3 };
  const cluster = clusterWith([first, programs]);
  const chain = new Chain(cluster, [first, second, failed, programs]);
  chain.run(signed(0, [put, commit(3, second), commit(5, failed), commit(99, failed)]));
  const interval = cluster.genesis.limits.checkpointInterval;
  const toCheckpoint = (of: Chain) => {
    let result = of.run();
    while (result.checkpoint === null) result = of.run();
    return result;
  };
  const loaded = loadSnapshot(cluster, snapshotOf(chain, toCheckpoint(chain)));
  const resumed = new Chain(cluster, [programs, second], loaded);
  const { state, programs: running } = resumed.executor;
  t.deepEqual(running.inForce.map(named), chain.executor.programs.inForce.map(named));
  t.deepEqual([running.readableFrom('scratch'), running.missingAbove(interval).length], [5, 1]);
  t.is(state.tablesOf('scratch')['dropped']!.get('kept'), 'by the chain');
  const rows = state.tablesOf('scratch')['rows']!;
  t.deepEqual(rows.pageBy('byKey', { equals: 'a', limit: 1 }).rows, [['a', 'from version 1']]);
  const next = signed(1, [added, put]);
  t.is(receiptsOf(chain.run(next))[0]!.result, 'by version 2');
  t.is(receiptsOf(resumed.run(next))[0]!.result, 'by version 2');
  t.deepEqual(snapshotOf(resumed, toCheckpoint(resumed)), snapshotOf(chain, toCheckpoint(chain)));
});

test('I120: who starts from a snapshot and lacks what runs there does not start', (t) => {
  const cluster = clusterWith([scratch, programs]);
  const chain = new Chain(cluster, [scratch, second, programs]);
  let result = chain.run(signed(0, [commit(3, second)]));
  while (result.checkpoint === null) result = chain.run();
  const loaded = loadSnapshot(cluster, snapshotOf(chain, result));
  const error = t.throws(() => new Chain(cluster, [scratch, programs], loaded), {
    instanceOf: InvariantViolation,
  });
  t.is(error.code, 'program_missing');
});
