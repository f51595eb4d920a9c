/**
 * Keys and values in namespaces, with versions for optimistic writers.
 *
 * R1. Every change of a namespace raises its revision by one, and a key's version is the revision of
 *     its last change: a version never returns, also not after a delete.
 */
import { Type } from '@sinclair/typebox';
import { bytesEqual } from '../../../protocols/bytes.ts';
import {
  refuse,
  type CommandContext,
  type ModuleRefusal,
  type QueryContext,
} from '../../../protocols/transaction/module.ts';
import { encodeValue, type Value } from '../../../protocols/transaction/values.ts';
import { command, defineModule, query } from '../define.ts';
import { AnyValue } from '../schema.ts';

type Stored = { readonly value: Value; readonly version: number };

type KvRows = {
  /** By `<namespace>/<key>`; a namespace has no slash in it. */
  readonly entries: Stored;
  /** The revision of each namespace. */
  readonly revisions: number;
};

type Commands = CommandContext<KvRows>;
type Queries = QueryContext<KvRows>;

const strict = { additionalProperties: false };
const Namespace = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes or underscores',
});
const Key = Type.String({ minLength: 1, maxLength: 512 });
const Version = Type.Integer({
  minimum: 0,
  description: 'a version, or 0 for a key that must not be there',
});
const place = { namespace: Namespace, key: Key };

interface Place {
  readonly namespace: string;
  readonly key: string;
}

const rowKey = ({ namespace, key }: Place): string => `${namespace}/${key}`;

/** Counts a change of the namespace; the new revision. */
function revise({ tables }: Commands, namespace: string): number {
  const revision = (tables.revisions.get(namespace) ?? 0) + 1;
  tables.revisions.set(namespace, revision);
  return revision;
}

function write(context: Commands, at: Place, value: Value): Value {
  const version = revise(context, at.namespace);
  context.tables.entries.set(rowKey(at), { value, version });
  context.emit('set', { namespace: at.namespace, key: at.key, version });
  return { version };
}

function expectVersion(
  { tables }: Commands,
  at: Place,
  expected: number | undefined,
): ModuleRefusal | null {
  if (expected === undefined) return null;
  const version = tables.entries.get(rowKey(at))?.version ?? 0;
  if (version === expected) return null;
  return refuse('version_mismatch', `the version is ${version}, not ${expected}`);
}

const set = command(
  'Writes a key, whatever it held, or only at the version `ifVersion`.',
  Type.Object({ ...place, value: AnyValue, ifVersion: Type.Optional(Version) }, strict),
  (context: Commands, { ifVersion, value, ...at }) =>
    expectVersion(context, at, ifVersion) ?? write(context, at, value),
);

const remove = command(
  'Removes a key, or only at the version `ifVersion`.',
  Type.Object({ ...place, ifVersion: Type.Optional(Version) }, strict),
  (context: Commands, { ifVersion, ...at }) => {
    const mismatch = expectVersion(context, at, ifVersion);
    if (mismatch !== null) return mismatch;
    if (context.tables.entries.get(rowKey(at)) === undefined) {
      return refuse('key_not_found', 'there is no such key');
    }
    const version = revise(context, at.namespace);
    context.tables.entries.delete(rowKey(at));
    context.emit('deleted', { namespace: at.namespace, key: at.key, version });
    return { version };
  },
);

const compareAndSet = command(
  'Writes a key only if it holds `expected`; without `expected`, only if there is no such key.',
  Type.Object({ ...place, expected: Type.Optional(AnyValue), value: AnyValue }, strict),
  (context: Commands, { expected, value, ...at }) => {
    const held = context.tables.entries.get(rowKey(at))?.value;
    const same =
      held === undefined || expected === undefined
        ? held === expected
        : bytesEqual(encodeValue(held), encodeValue(expected));
    return same
      ? write(context, at, value)
      : refuse('value_mismatch', 'the key does not hold the expected value');
  },
);

const get = query(
  'The value and the version of a key.',
  Type.Object(place, strict),
  ({ tables }: Queries, at) => {
    const row = tables.entries.get(rowKey(at));
    if (row === undefined) return refuse('key_not_found', 'there is no such key');
    return { namespace: at.namespace, key: at.key, value: row.value, version: row.version };
  },
);

const list = query(
  'Keys of a namespace in order, from after `after` on; `next` is null at the end.',
  Type.Object(
    {
      namespace: Namespace,
      prefix: Type.Optional(Type.String({ maxLength: 512 })),
      after: Type.Optional(Key),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    },
    strict,
  ),
  ({ tables }: Queries, { namespace, prefix = '', after, limit = 100 }) => {
    const start = `${namespace}/`;
    const page = tables.entries.page({
      prefix: start + prefix,
      after: after === undefined ? undefined : start + after,
      limit,
    });
    const entries = page.rows.map(([key, { value, version }]) => ({
      key: key.slice(start.length),
      value,
      version,
    }));
    const next = page.next === null ? null : page.next.slice(start.length);
    return { entries, next, revision: tables.revisions.get(namespace) ?? 0 };
  },
);

export const kv = defineModule<KvRows>({
  name: 'kv',
  version: 1,
  description: 'Keys and values in namespaces.',
  tables: ['entries', 'revisions'],
  commands: { set, delete: remove, compareAndSet },
  queries: { get, list },
});
