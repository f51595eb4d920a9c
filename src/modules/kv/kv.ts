/**
 * Keys and values in namespaces, with etcd's semantics: revisions, transactions, leases, events to watch.
 * The rules stand with what keeps them: changes.ts, lease-timers.ts, leases.ts, txn.ts; those of
 * namespaces here.
 *
 * R11. A namespace can be claimed while it has no keys, and is changed or given back by its owner alone.
 */
import { Type } from '@sinclair/typebox';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { defineModule } from '../define.ts';
import { AnyValue, Sender } from '../schema.ts';
import { changing, type Changes } from './changes.ts';
import { equalValues } from './compare.ts';
import { grantLease, keepAlive, leaseEnds, revokeLease } from './leases.ts';
import { kvGenesis } from './limits.ts';
import { kvQueries } from './queries.ts';
import { Limit, pageOf, range } from './ranges.ts';
import {
  Count,
  EMPTY_NAMESPACE,
  events,
  LeaseArgs,
  LeaseId,
  LeaseName,
  Namespace,
  place,
  Revision,
  strict,
  tables,
  TtlMs,
  Written,
  type Commands,
} from './rows.ts';
import {
  Deleted,
  deleteKey,
  OpResults,
  Ops,
  Set,
  setKey,
  Transaction,
  Txn,
  TxnResult,
} from './txn.ts';

const WRITERS_MAX = 100;

const ifRevision = Type.Optional(Revision);
const { key: _key, value: _value, ...setOptions } = Set;
const granted = Type.Object({ lease: LeaseId, ttlMs: TtlMs, deadline: Type.Integer() }, strict);

/** Null when the key was last changed at this revision; 0 is that of a key that is not there. */
function expectRevision(
  changes: Changes,
  key: string,
  expected: number | undefined,
): ModuleRefusal | null {
  if (expected === undefined) return null;
  const revision = changes.find(key)?.modRevision ?? 0;
  if (revision === expected) return null;
  return refuse('revision_mismatch', `the key is at revision ${revision}, not ${expected}`);
}

function deleteRange(changes: Changes, context: Commands, asked: Parameters<typeof pageOf>[2]) {
  let left = asked.limit ?? 100;
  let deleted = 0;
  let more = true;
  let after = {};
  while (more && left > 0) {
    const page = pageOf(context, changes.namespace, { ...asked, ...after, limit: left });
    for (const [key] of page.rows) {
      const refused = changes.delete(key);
      if (refused !== null) return refused;
    }
    deleted += page.rows.length;
    left -= page.visited;
    more = page.next !== null;
    after = page.next === null ? {} : { after: page.next };
  }
  return { deleted, more };
}

/** The namespace's row, when it is the sender's to claim or to give back. */
function claimable({ tables: { namespaces }, sender }: Commands, namespace: string) {
  const row = namespaces.get(namespace) ?? EMPTY_NAMESPACE;
  if (row.owner === sender) return row;
  if (row.owner !== undefined) return refuse('not_owner', 'the namespace is another sender’s');
  return row;
}

export const kv = defineModule({
  name: 'kv',
  version: 1,
  description: 'Keys and values in namespaces.',
  tables,
  events,
  timers: ({ timer }) => ({
    leaseEnds: timer({ description: 'Ends a lease when it is due.', args: LeaseArgs }, leaseEnds),
  }),
  commands: ({ command }) => ({
    set: command(
      {
        description: 'Writes a key, whatever it held, or only at the revision `ifRevision`.',
        args: Type.Object({ ...place, value: AnyValue, ifRevision, ...setOptions }, strict),
        result: Written,
      },
      (context, { namespace, ifRevision, ...set }) =>
        changing(
          context,
          namespace,
          (changes) => expectRevision(changes, set.key, ifRevision) ?? setKey(changes, set),
        ),
    ),

    delete: command(
      {
        description: 'Removes a key, or only at the revision `ifRevision`.',
        args: Type.Object({ ...place, ifRevision, prevKv: Type.Optional(Type.Boolean()) }, strict),
        result: Type.Object({ revision: Revision, ...Deleted.properties }, strict),
      },
      (context, { namespace, ifRevision, ...asked }) =>
        changing(context, namespace, (changes) => {
          const mismatch = expectRevision(changes, asked.key, ifRevision);
          if (mismatch !== null) return mismatch;
          const done = deleteKey(changes, asked);
          if (done instanceof ModuleRefusal) return done;
          if (done.deleted === 0) return refuse('key_not_found', 'there is no such key');
          return { revision: changes.revision, ...done };
        }),
    ),

    deleteRange: command(
      {
        description: 'Removes the first `limit` keys of a range; `more` when it goes on.',
        args: Type.Object({ namespace: Namespace, ...range, limit: Type.Optional(Limit) }, strict),
        result: Type.Object({ deleted: Count, more: Type.Boolean() }, strict),
      },
      (context, { namespace, ...asked }) =>
        changing(context, namespace, (changes) => deleteRange(changes, context, asked)),
    ),

    compareAndSet: command(
      {
        description:
          'Writes a key only if it holds `expected`; without `expected`, only if there is no such key.',
        args: Type.Object(
          { ...place, expected: Type.Optional(AnyValue), value: AnyValue, ...setOptions },
          strict,
        ),
        result: Written,
      },
      (context, { namespace, expected, ...set }) =>
        changing(context, namespace, (changes) => {
          const held = changes.find(set.key)?.value;
          const same =
            held === undefined || expected === undefined
              ? held === expected
              : equalValues(held, expected);
          return same
            ? setKey(changes, set)
            : refuse('value_mismatch', 'the key does not hold the expected value');
        }),
    ),

    txn: command(
      {
        description:
          'Does `success` if all of `compare` hold, otherwise `failure`, all at one revision.',
        args: Type.Object({ namespace: Namespace, ...Txn }, strict),
        result: Type.Object({ revision: Revision, ...TxnResult }, strict),
      },
      (context, { namespace, ...txn }) =>
        changing(context, namespace, (changes) => {
          const done = new Transaction(context, changes).run(txn);
          return done instanceof ModuleRefusal ? done : { revision: changes.reached, ...done };
        }),
    ),

    batch: command(
      {
        description: 'Does all operations at one revision, or none of them.',
        args: Type.Object({ namespace: Namespace, ops: Ops }, strict),
        result: Type.Object({ revision: Revision, results: OpResults }, strict),
      },
      (context, { namespace, ops }) =>
        changing(context, namespace, (changes) => {
          const done = new Transaction(context, changes).run({ compare: [], success: ops });
          if (done instanceof ModuleRefusal) return done;
          return { revision: changes.reached, results: done.results };
        }),
    ),

    grantLease: command(
      {
        description: 'Makes a lease that lasts `ttlMs` from now on, for keys to be given it.',
        args: Type.Object({ ttlMs: TtlMs, lease: Type.Optional(LeaseName) }, strict),
        result: granted,
      },
      grantLease,
    ),

    keepAlive: command(
      {
        description: 'Has a lease last its whole time from now on.',
        args: Type.Object({ lease: LeaseId }, strict),
        result: granted,
      },
      keepAlive,
    ),

    revokeLease: command(
      {
        description: 'Ends a lease now, and with it its keys.',
        args: Type.Object({ lease: LeaseId }, strict),
        result: Type.Object({ deleted: Count, more: Type.Boolean() }, strict),
      },
      revokeLease,
    ),

    claim: command(
      {
        description:
          'Lets only the sender and `writers` write a namespace from now on; again, to name others.',
        args: Type.Object(
          {
            namespace: Namespace,
            writers: Type.Optional(Type.Array(Sender, { maxItems: WRITERS_MAX })),
          },
          strict,
        ),
      },
      (context, { namespace, writers = [] }) => {
        const row = claimable(context, namespace);
        if (row instanceof ModuleRefusal) return row;
        if (row.owner === undefined && row.keys > 0) {
          return refuse('namespace_in_use', 'others have keys there: claim one that has none');
        }
        const owner = context.sender;
        context.tables.namespaces.set(namespace, { ...row, owner, writers });
        context.emit('claimed', { namespace, owner, writers });
      },
    ),

    release: command(
      {
        description: 'Lets everybody write the namespace again.',
        args: Type.Object({ namespace: Namespace }, strict),
      },
      (context, { namespace }) => {
        const row = claimable(context, namespace);
        if (row instanceof ModuleRefusal) return row;
        if (row.owner === undefined) return refuse('not_claimed', 'the namespace is not claimed');
        const { owner: _, writers: __, ...open } = row;
        context.tables.namespaces.set(namespace, open);
        context.emit('released', { namespace });
      },
    ),
  }),
  queries: kvQueries,
  genesis: kvGenesis,
});
