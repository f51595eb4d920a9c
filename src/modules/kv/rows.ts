/**
 * The rows of the store, its events, and the forms of names. A namespace is to this module what a
 * whole store is to etcd: revisions are counted in it, and a transaction changes one of them.
 */
import { Type, type Static } from '@sinclair/typebox';
import {
  event,
  table,
  type CommandKit,
  type Context,
  type ReadContext,
  type TimerDefinition,
} from '../define.ts';
import { AnyValue, Sender } from '../schema.ts';

export const strict = { additionalProperties: false };

export const Namespace = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes or underscores',
});
export const Key = Type.String({ minLength: 1, maxLength: 512 });
export const Prefix = Type.String({ maxLength: 512 });
export const Count = Type.Integer({ minimum: 0 });
export const Revision = Type.Integer({
  minimum: 0,
  description: 'a revision; 0 for a key that is not there',
});
/** Of a lease that was granted by itself, so that keys can be given it. */
export const LeaseName = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,64}$',
  description: 'the name of a lease: 1 to 64 letters, digits, dots, dashes or underscores',
});
/** A lease's name, or `<namespace>/<key>`: the lease that a key has of its own. */
export const LeaseId = Type.String({ minLength: 1, maxLength: 577 });
/** Up to a year. */
export const TtlMs = Type.Integer({
  minimum: 1,
  maximum: 31_536_000_000,
  description: 'milliseconds, from 1 to 31536000000, which is a year',
});
export const place = { namespace: Namespace, key: Key };
export const next = Type.Union([Type.String(), Type.Null()]);

/** What etcd tells of a key beside its value. */
const marks = {
  createRevision: Revision,
  modRevision: Revision,
  version: Count,
  lease: Type.Optional(LeaseId),
};

/** `bytes`: of the key and the value, as its namespace counts them. */
export const EntryRow = Type.Object({ value: AnyValue, bytes: Count, ...marks }, strict);
export type EntryRow = Static<typeof EntryRow>;
export const EntryView = Type.Object(
  { key: Key, value: AnyValue, ...marks },
  { ...strict, title: 'entry' },
);
export type EntryView = Static<typeof EntryView>;
/** An entry, or without the value what was asked for by keys only. */
export const ListedView = Type.Object(
  { key: Key, value: Type.Optional(AnyValue), ...marks },
  { ...strict, title: 'entry' },
);
export type ListedView = Static<typeof ListedView>;
/** What a write made of its key; `prev` where it was asked for: the entry before, or null. */
export const Written = Type.Object(
  { ...marks, prev: Type.Optional(Type.Union([EntryView, Type.Null()])) },
  strict,
);
export type Written = Static<typeof Written>;

const NamespaceRow = Type.Object(
  {
    revision: Revision,
    keys: Count,
    bytes: Count,
    owner: Type.Optional(Sender),
    writers: Type.Optional(Type.Array(Sender)),
  },
  strict,
);
export type NamespaceRow = Static<typeof NamespaceRow>;

const LeaseRow = Type.Object(
  {
    owner: Sender,
    ttlMs: TtlMs,
    /** Block time at which it has ended. */
    deadline: Type.Integer(),
    /** Its timer, which is set for no later than the deadline. */
    timer: Type.String(),
  },
  strict,
);
export type LeaseRow = Static<typeof LeaseRow>;

export const LimitsRow = Type.Object(
  { valueBytesMax: Count, keysMax: Count, bytesMax: Count },
  strict,
);
export type LimitsRow = Static<typeof LimitsRow>;

/** A key's own lease is found by its id, which says what its one key is. */
export const isOwnLease = (lease: string): boolean => lease.includes('/');

export const tables = {
  entries: table(
    'By `<namespace>/<key>`, where a namespace has no slash in it: the value, its revisions and its lease.',
    EntryRow,
    { byLease: ({ lease }) => (lease === undefined || isOwnLease(lease) ? null : lease) },
  ),
  namespaces: table(
    'By name: the revision, what is in it, and who may write it if not everybody.',
    NamespaceRow,
  ),
  leases: table('By id: whose it is, when it ends, and the timer that sees to it.', LeaseRow, {
    byOwner: ({ owner }) => owner,
  }),
  swept: table(
    'One row, `block`: how many keys of ended leases a block has deleted so far.',
    Type.Object({ height: Count, keys: Count }, strict),
  ),
  limits: table('One row, `namespace`: what a namespace may hold.', LimitsRow),
};

const Claim = Type.Object(
  { namespace: Namespace, owner: Sender, writers: Type.Array(Sender) },
  strict,
);

export const events = {
  set: event(
    'A key was written. `value` is left out beyond 4096 bytes.',
    Type.Object({ ...place, value: Type.Optional(AnyValue), ...marks }, strict),
  ),
  deleted: event(
    'A key was removed, by a command or, if `expired`, with its lease.',
    Type.Object(
      { ...place, modRevision: Revision, expired: Type.Optional(Type.Literal(true)) },
      strict,
    ),
  ),
  claimed: event('A namespace is written by its owner and these writers only.', Claim),
  released: event(
    'A namespace is written by everybody.',
    Type.Object({ namespace: Namespace }, strict),
  ),
};

/** Sees to a lease that may have ended. */
export const LeaseArgs = Type.Object({ lease: LeaseId }, strict);
type Timers = { leaseEnds: TimerDefinition<typeof LeaseArgs> };
export type Commands = Context<typeof tables, typeof events, Timers>;
export type Kit = CommandKit<typeof tables, typeof events, Timers>;
export type Reads = Pick<ReadContext<typeof tables>, 'tables' | 'time' | 'meter'>;

export interface Place {
  readonly namespace: string;
  readonly key: string;
}

export const rowKey = ({ namespace, key }: Place): string => `${namespace}/${key}`;

export const EMPTY_NAMESPACE: NamespaceRow = { revision: 0, keys: 0, bytes: 0 };

/** Whether the row is one that anybody sees: a lease that has ended takes its keys along at once. */
export function isThere({ tables: { leases }, time }: Reads, { lease }: EntryRow): boolean {
  return lease === undefined || (leases.get(lease)?.deadline ?? 0) > time;
}

export function viewOf(key: string, row: EntryRow): EntryView {
  const { bytes: _bytes, ...shown } = row;
  return { key, ...shown };
}
