/**
 * Keys and values in namespaces, with versions for optimistic writers.
 *
 * R1. Every change of a namespace raises its revision by one, and a key's version is the revision of
 *     its last change: a version never returns, also not after a delete.
 */
import { Type } from '@sinclair/typebox';
import { bytesEqual } from '../../../protocols/bytes.ts';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import { encodeValue, type Value } from '../../../protocols/transaction/values.ts';
import { defineModule, event, table, type Context } from '../define.ts';
import { AnyValue } from '../schema.ts';

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
const versioned = Type.Object({ version: Version }, strict);
const changed = Type.Object({ ...place, version: Version }, strict);

const tables = {
  entries: table(
    'By `<namespace>/<key>`, where a namespace has no slash in it: the value and its version.',
    Type.Object({ value: AnyValue, version: Version }, strict),
  ),
  revisions: table('By namespace: how often it was changed.', Version),
};

const events = {
  set: event('A key was written.', changed),
  deleted: event('A key was removed.', changed),
};

type Commands = Context<typeof tables, typeof events, Record<never, never>>;

interface Place {
  readonly namespace: string;
  readonly key: string;
}

const rowKey = ({ namespace, key }: Place): string => `${namespace}/${key}`;

/** Counts a change of the namespace; the new revision. */
function revise({ tables: { revisions } }: Commands, namespace: string): number {
  const revision = (revisions.get(namespace) ?? 0) + 1;
  revisions.set(namespace, revision);
  return revision;
}

function write(context: Commands, at: Place, value: Value): { version: number } {
  const version = revise(context, at.namespace);
  context.tables.entries.set(rowKey(at), { value, version });
  context.emit('set', { namespace: at.namespace, key: at.key, version });
  return { version };
}

function expectVersion(
  { tables: { entries } }: Commands,
  at: Place,
  expected: number | undefined,
): ModuleRefusal | null {
  if (expected === undefined) return null;
  const version = entries.get(rowKey(at))?.version ?? 0;
  if (version === expected) return null;
  return refuse('version_mismatch', `the version is ${version}, not ${expected}`);
}

export const kv = defineModule({
  name: 'kv',
  version: 1,
  description: 'Keys and values in namespaces.',
  tables,
  events,
  commands: ({ command }) => ({
    set: command(
      {
        description: 'Writes a key, whatever it held, or only at the version `ifVersion`.',
        args: Type.Object({ ...place, value: AnyValue, ifVersion: Type.Optional(Version) }, strict),
        result: versioned,
      },
      (context, { ifVersion, value, ...at }) =>
        expectVersion(context, at, ifVersion) ?? write(context, at, value),
    ),

    delete: command(
      {
        description: 'Removes a key, or only at the version `ifVersion`.',
        args: Type.Object({ ...place, ifVersion: Type.Optional(Version) }, strict),
        result: versioned,
      },
      (context, { ifVersion, ...at }) => {
        const mismatch = expectVersion(context, at, ifVersion);
        if (mismatch !== null) return mismatch;
        const { entries } = context.tables;
        if (entries.get(rowKey(at)) === undefined) {
          return refuse('key_not_found', 'there is no such key');
        }
        const version = revise(context, at.namespace);
        entries.delete(rowKey(at));
        context.emit('deleted', { namespace: at.namespace, key: at.key, version });
        return { version };
      },
    ),

    compareAndSet: command(
      {
        description:
          'Writes a key only if it holds `expected`; without `expected`, only if there is no such key.',
        args: Type.Object({ ...place, expected: Type.Optional(AnyValue), value: AnyValue }, strict),
        result: versioned,
      },
      (context, { expected, value, ...at }) => {
        const held = context.tables.entries.get(rowKey(at))?.value;
        const same =
          held === undefined || expected === undefined
            ? held === expected
            : bytesEqual(encodeValue(held), encodeValue(expected));
        return same
          ? write(context, at, value)
          : refuse('value_mismatch', 'the key does not hold the expected value');
      },
    ),
  }),

  queries: ({ query }) => ({
    get: query(
      {
        description: 'The value and the version of a key.',
        args: Type.Object(place, strict),
        result: Type.Object({ ...place, value: AnyValue, version: Version }, strict),
      },
      ({ tables: { entries } }, at) => {
        const row = entries.get(rowKey(at));
        if (row === undefined) return refuse('key_not_found', 'there is no such key');
        return { namespace: at.namespace, key: at.key, value: row.value, version: row.version };
      },
    ),

    list: query(
      {
        description:
          'Keys of a namespace in order, from after `after` on; `next` is null at the end.',
        args: Type.Object(
          {
            namespace: Namespace,
            prefix: Type.Optional(Type.String({ maxLength: 512 })),
            after: Type.Optional(Key),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
          },
          strict,
        ),
        result: Type.Object(
          {
            entries: Type.Array(
              Type.Object({ key: Key, value: AnyValue, version: Version }, strict),
            ),
            next: Type.Union([Key, Type.Null()]),
            revision: Version,
          },
          strict,
        ),
      },
      ({ tables: { entries, revisions } }, { namespace, prefix = '', after, limit = 100 }) => {
        const start = `${namespace}/`;
        const page = entries.page({
          prefix: start + prefix,
          after: after === undefined ? undefined : start + after,
          limit,
        });
        const listed = page.rows.map(([key, { value, version }]) => ({
          key: key.slice(start.length),
          value,
          version,
        }));
        const next = page.next?.slice(start.length) ?? null;
        return { entries: listed, next, revision: revisions.get(namespace) ?? 0 };
      },
    ),
  }),
  refusals: {
    key_not_found: 'There is no such key.',
    value_mismatch: 'The key does not hold the expected value.',
    version_mismatch: 'The version of the key is another.',
  },
});
