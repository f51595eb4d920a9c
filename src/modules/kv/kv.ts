/**
 * Keys and values in namespaces, with etcd's semantics: revisions, transactions, leases, events to watch.
 * The rules stand with what keeps them: changes.ts, lease-timers.ts, leases.ts, txn.ts, costs.ts,
 * namespace-commands.ts.
 */
import { defineModule } from '../define.ts';
import { keyCommands, transactionCommands } from './key-commands.ts';
import { leaseCommands } from './lease-commands.ts';
import { leaseEnds } from './leases.ts';
import { kvGenesis } from './limits.ts';
import { namespaceCommands } from './namespace-commands.ts';
import { keyQueries, leaseQueries, namespaceQueries } from './queries.ts';
import { events, LeaseArgs, tables } from './rows.ts';

export const kv = defineModule({
  name: 'kv',
  version: 1,
  description: 'Keys and values in namespaces.',
  tables,
  events,
  timers: ({ timer }) => ({
    leaseEnds: timer({ description: 'Ends a lease when it is due.', args: LeaseArgs }, leaseEnds),
  }),
  commands: (kit) => ({
    ...keyCommands(kit),
    ...transactionCommands(kit),
    ...leaseCommands(kit),
    ...namespaceCommands(kit),
  }),
  queries: (kit) => ({
    ...keyQueries(kit),
    ...namespaceQueries(kit),
    ...leaseQueries(kit),
  }),
  refusals: {
    bad_compare: 'A version or a revision compares with an integer, a lease with text.',
    duplicate_key: 'One command would change a key twice.',
    key_not_found: 'There is no such key.',
    lease_exists: 'There is a lease of that name.',
    lease_not_found: 'There is no such lease, or it has ended.',
    namespace_full: 'The namespace would hold more than its limits let it.',
    namespace_in_use: 'Only a namespace without keys can be claimed.',
    not_claimed: 'The namespace is not claimed.',
    not_lease_owner: 'The sender is not the owner of the lease.',
    not_owner: 'The sender is not the owner of the namespace.',
    not_writer:
      'The namespace is claimed, and the sender is neither its owner nor one of its writers.',
    result_too_large: 'A result would show more bytes of entries than a receipt takes.',
    revision_mismatch: 'The key was last changed at another revision.',
    too_many_changes: 'A command would change more than 1000 keys.',
    too_many_leases: 'A command would give `ttlMs` to more than 64 keys.',
    too_many_rows: 'The ranges of a transaction would cover more than 128 keys.',
    two_leases: '`lease` and `ttlMs` were given together.',
    value_mismatch: 'The key does not hold the expected value.',
    value_too_deep: 'Lists and objects stand in one another on more levels than a value may have.',
    value_too_large: 'The value is larger than the limits of a namespace let it be.',
  },
  genesis: kvGenesis,
});
