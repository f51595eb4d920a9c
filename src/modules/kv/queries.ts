/** What can be asked of the store. All of it is bounded: what is long comes in pages. */
import { Type } from '@sinclair/typebox';
import { refuse } from '../../../protocols/transaction/module.ts';
import type { QueryKit } from '../define.ts';
import { Sender } from '../schema.ts';
import { liveLease } from './lease-timers.ts';
import { limitsOf } from './limits.ts';
import { Limit, paged, pageOf, range, type KeyRange } from './ranges.ts';
import {
  Count,
  EMPTY_NAMESPACE,
  EntryView,
  isOwnLease,
  isThere,
  Key,
  LeaseId,
  LimitsRow,
  ListedView,
  Namespace,
  next,
  place,
  Prefix,
  Revision,
  rowKey,
  strict,
  type tables as kvTables,
  TtlMs,
  viewOf,
  type EntryRow,
  type LeaseRow,
  type Place,
  type Reads,
} from './rows.ts';
import { keyOf } from './txn.ts';

/** Rows that one question looks at to count keys. */
const COUNTED_MAX = 1000;

const bounds = {
  minModRevision: Type.Optional(Revision),
  maxModRevision: Type.Optional(Revision),
  minCreateRevision: Type.Optional(Revision),
  maxCreateRevision: Type.Optional(Revision),
};
type Bounds = { readonly [name in keyof typeof bounds]?: number };

const namespaceMarks = {
  namespace: Namespace,
  revision: Revision,
  keys: Count,
  bytes: Count,
  owner: Type.Union([Sender, Type.Null()]),
};
const leaseMarks = { lease: LeaseId, owner: Sender, ttlMs: TtlMs, remainingMs: Count };

function found(reads: Reads, at: Place): EntryRow | undefined {
  const row = reads.tables.entries.get(rowKey(at));
  return row !== undefined && isThere(reads, row) ? row : undefined;
}

function isWithin(row: EntryRow, asked: Bounds): boolean {
  const { minModRevision = 0, maxModRevision = Infinity } = asked;
  const { minCreateRevision = 0, maxCreateRevision = Infinity } = asked;
  return (
    row.modRevision >= minModRevision &&
    row.modRevision <= maxModRevision &&
    row.createRevision >= minCreateRevision &&
    row.createRevision <= maxCreateRevision
  );
}

function namespaceView({ tables: { namespaces } }: Reads, namespace: string) {
  const row = namespaces.get(namespace) ?? EMPTY_NAMESPACE;
  const { revision, keys, bytes, owner = null, writers = [] } = row;
  return { shown: { namespace, revision, keys, bytes, owner }, writers };
}

function leaseView({ time }: Reads, lease: string, { owner, ttlMs, deadline }: LeaseRow) {
  return { lease, owner, ttlMs, remainingMs: deadline - time };
}

function counted(reads: Reads, namespace: string, asked: KeyRange) {
  let count = 0;
  let left = COUNTED_MAX;
  let { after } = asked;
  for (;;) {
    const start = after === undefined ? {} : { after };
    const page = pageOf(reads, namespace, { ...asked, ...start, limit: left });
    count += page.rows.length;
    left -= page.visited;
    if (page.next === null || left <= 0) return { count, next: page.next };
    after = page.next;
  }
}

/** Row keys of what a lease holds, from after `after` on. */
function keysOf(
  { tables: { entries } }: Reads,
  lease: string,
  after: string | undefined,
  limit: number,
): { readonly rowKeys: readonly string[]; readonly next: string | null } {
  if (isOwnLease(lease)) return { rowKeys: after === undefined ? [lease] : [], next: null };
  const page = entries.pageBy('byLease', { equals: lease, after, limit });
  return { rowKeys: page.rows.map(([key]) => key), next: page.next };
}

function placeOf(rowKeyOf: string): Place {
  const slash = rowKeyOf.indexOf('/');
  return { namespace: rowKeyOf.slice(0, slash), key: rowKeyOf.slice(slash + 1) };
}

type Kit = QueryKit<typeof kvTables>;

export const keyQueries = ({ query }: Kit) => ({
  get: query(
    {
      description: 'The value, the revisions and the lease of a key.',
      args: Type.Object(place, strict),
      result: Type.Object({ namespace: Namespace, ...EntryView.properties }, strict),
    },
    (context, at) => {
      const row = found(context, at);
      if (row === undefined) return refuse('key_not_found', 'there is no such key');
      return { namespace: at.namespace, ...viewOf(at.key, row) };
    },
  ),

  exists: query(
    {
      description: 'Whether there is such a key.',
      args: Type.Object(place, strict),
      result: Type.Object({ exists: Type.Boolean() }, strict),
    },
    (context, at) => ({ exists: found(context, at) !== undefined }),
  ),

  list: query(
    {
      description:
        'Keys of a namespace in order, from after `after` on; `next` is null at the end.',
      args: Type.Object(
        {
          namespace: Namespace,
          ...range,
          ...paged,
          keysOnly: Type.Optional(Type.Boolean()),
          ...bounds,
        },
        strict,
      ),
      result: Type.Object({ entries: Type.Array(ListedView), next, revision: Revision }, strict),
    },
    (context, { namespace, keysOnly = false, ...asked }) => {
      const page = pageOf(context, namespace, asked);
      const entries = page.rows
        .filter(([, row]) => isWithin(row, asked))
        .map(([key, row]) => (keysOnly ? keyOf(key, row) : viewOf(key, row)));
      const { revision } = namespaceView(context, namespace).shown;
      return { entries, next: page.next, revision };
    },
  ),

  count: query(
    {
      description:
        'How many keys a range has, counted up to a bound; `next` is null when that is all of them.',
      args: Type.Object({ namespace: Namespace, ...range, after: Type.Optional(Key) }, strict),
      result: Type.Object({ count: Count, next, revision: Revision }, strict),
    },
    (context, { namespace, ...asked }) => {
      const { revision } = namespaceView(context, namespace).shown;
      return { ...counted(context, namespace, asked), revision };
    },
  ),
});

export const namespaceQueries = ({ query }: Kit) => ({
  namespace: query(
    {
      description: 'The revision of a namespace, what it holds and may hold, and who writes it.',
      args: Type.Object({ namespace: Namespace }, strict),
      result: Type.Object(
        { ...namespaceMarks, writers: Type.Array(Sender), limits: LimitsRow },
        strict,
      ),
    },
    (context, { namespace }) => {
      const { shown, writers } = namespaceView(context, namespace);
      return { ...shown, writers, limits: limitsOf(context) };
    },
  ),

  namespaces: query(
    {
      description: 'Namespaces that were ever written or claimed, by name.',
      args: Type.Object(
        {
          prefix: Type.Optional(Prefix),
          after: Type.Optional(Namespace),
          limit: Type.Optional(Limit),
        },
        strict,
      ),
      result: Type.Object(
        { namespaces: Type.Array(Type.Object(namespaceMarks, strict)), next },
        strict,
      ),
    },
    (context, { prefix = '', after, limit = 100 }) => {
      const page = context.tables.namespaces.page({ prefix, after, limit });
      const namespaces = page.rows.map(([name]) => namespaceView(context, name).shown);
      return { namespaces, next: page.next };
    },
  ),
});

export const leaseQueries = ({ query }: Kit) => ({
  lease: query(
    {
      description: 'A lease with the first of its keys, from after `after` on.',
      args: Type.Object(
        { lease: LeaseId, after: Type.Optional(LeaseId), limit: Type.Optional(Limit) },
        strict,
      ),
      result: Type.Object(
        { ...leaseMarks, keys: Type.Array(Type.Object(place, strict)), next },
        strict,
      ),
    },
    (context, { lease, after, limit = 100 }) => {
      const row = liveLease(context, lease);
      if (row === undefined) {
        return refuse('lease_not_found', 'there is no such lease, or it ended');
      }
      const page = keysOf(context, lease, after, limit);
      return {
        ...leaseView(context, lease, row),
        keys: page.rowKeys.map(placeOf),
        next: page.next,
      };
    },
  ),

  leases: query(
    {
      description: 'Leases by id, or those of `owner`.',
      args: Type.Object(
        {
          owner: Type.Optional(Sender),
          after: Type.Optional(LeaseId),
          limit: Type.Optional(Limit),
        },
        strict,
      ),
      result: Type.Object({ leases: Type.Array(Type.Object(leaseMarks, strict)), next }, strict),
    },
    (context, { owner, after, limit = 100 }) => {
      const { leases } = context.tables;
      const page =
        owner === undefined
          ? leases.page({ after, limit })
          : leases.pageBy('byOwner', { equals: owner, after, limit });
      const live = page.rows.filter(([, { deadline }]) => deadline > context.time);
      return {
        leases: live.map(([id, row]) => leaseView(context, id, row)),
        next: page.next,
      };
    },
  ),
});
