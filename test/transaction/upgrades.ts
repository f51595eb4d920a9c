/** Chains whose modules are upgraded: a module that commits upgrades, and versions of another. */
import { DEFAULT_LIMITS, type Cluster, type Program } from '../../protocols/genesis.ts';
import type { Module } from '../../protocols/transaction/module.ts';
import { upgradeKey } from '../../protocols/transaction/programs.ts';
import type { Digest } from '../../protocols/types.ts';
import { Chain, clusterOf } from './fixture.ts';
import { scratch } from './modules.ts';

export const OTHER = 'cd'.repeat(32) as Digest;
export const named = (module: Module): Program => {
  const { name, version, digest } = module;
  return { name, version, digest };
};

/** Writes what it is asked to into the table of committed upgrades. */
export const programs: Module = {
  ...scratch,
  name: 'programs',
  tables: [{ name: 'upgrades', indexes: new Map() }],
  genesis: () => undefined,
  commands: new Map([
    [
      'commit',
      {
        name: 'commit',
        check: () => true,
        run({ tables }, args) {
          const { height, ...upgrade } = args as { height: number };
          tables['upgrades']!.set(upgradeKey(height), { ...upgrade, outcome: 'waiting' });
          return undefined;
        },
      },
    ],
  ]),
};

/** Version 2 has another command, another index, and marks the rows that it finds. */
export const second: Module = {
  ...scratch,
  version: 2,
  digest: OTHER,
  tables: [{ name: 'rows', indexes: new Map([['byKey', (_row, key) => key]]) }],
  commands: new Map([
    ...scratch.commands,
    ['added', { name: 'added', check: () => true, run: () => 'by version 2' }],
  ]),
  migrate({ tables }, from) {
    for (const [key] of tables['rows']!.page({ limit: 100 }).rows) {
      tables['rows']!.set(key, `from version ${from}`);
    }
  },
};

export const failing: Module = {
  ...second,
  migrate({ tables }) {
    tables['rows']!.set('half', 'done');
    throw new Error('it cannot be migrated');
  },
};

export function clusterWith(first: readonly Module[]): Cluster {
  const cluster = clusterOf({ ...DEFAULT_LIMITS });
  return { ...cluster, genesis: { ...cluster.genesis, programs: first.map(named) } };
}

export function chainOf(
  available: readonly Module[],
  first: readonly Module[] = [scratch, programs],
) {
  return new Chain(clusterWith(first), available);
}

export const commit = (height: number, module: Module) => ({
  module: 'programs',
  command: 'commit',
  args: { height, ...named(module) },
});
export const put = { module: 'scratch', command: 'put', args: { key: 'a', value: 'old' } };
export const added = { module: 'scratch', command: 'added', args: null };
