/** The commands on keys: one by one, by the range, and in transactions. */
import { Type } from '@sinclair/typebox';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { AnyValue } from '../schema.ts';
import { changing, type Changes } from './changes.ts';
import { equalValues } from './compare.ts';
import { deleteSteps, LOOK_STEPS } from './costs.ts';
import { Limit, pageOf, range } from './ranges.ts';
import {
  Count,
  Namespace,
  place,
  Revision,
  rowKey,
  strict,
  Written,
  type Commands,
  type Kit,
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

const ifRevision = Type.Optional(Revision);
const { key: _key, value: _value, ...setOptions } = Set;

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
    context.meter.spend(page.visited * LOOK_STEPS);
    for (const [key] of page.rows) {
      const steps = deleteSteps(rowKey({ namespace: changes.namespace, key }));
      if (deleted > 0 && context.meter.left < steps) return { deleted, more: true };
      context.meter.spend(steps);
      const refused = changes.delete(key);
      if (refused !== null) return refused;
      deleted++;
    }
    left -= page.visited;
    more = page.next !== null;
    after = page.next === null ? {} : { after: page.next };
  }
  return { deleted, more };
}

export const keyCommands = ({ command }: Kit) => ({
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
});

export const transactionCommands = ({ command }: Kit) => ({
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
});
