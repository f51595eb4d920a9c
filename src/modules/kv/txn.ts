/**
 * Transactions of a namespace, with the rules of etcd: if all comparisons hold, `success` is done, else
 * `failure`, one operation after the other, each seeing what those before it did.
 *
 * R9. Which branches are taken, also within a transaction in a transaction, follows from what was there
 *     before the whole; all of it is done, or nothing if one operation is refused.
 * R10. Whatever is asked for, one transaction looks at no more than ROWS_MAX rows of ranges, and its result
 *     holds no more than about RESULT_BYTES_MAX bytes of entries: they go into the receipt.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { AnyValue } from '../schema.ts';
import type { Changes } from './changes.ts';
import { Compare, holds, misfitOf } from './compare.ts';
import { COMPARE_STEPS, deleteSteps, LOOK_STEPS } from './costs.ts';
import { pageOf, range, Limit, type KeyPage, type KeyRange } from './ranges.ts';
import {
  Count,
  EntryView,
  Key,
  LeaseName,
  ListedView,
  next,
  rowKey,
  strict,
  TtlMs,
  viewOf,
  Written,
  type Commands,
  type EntryRow,
} from './rows.ts';

/** As in etcd, and of each: comparisons, and operations of a branch. */
const OPS_MAX = 128;
const ROWS_MAX = 128;
const RESULT_BYTES_MAX = 16 * 1024;

export const Set = {
  key: Key,
  value: AnyValue,
  lease: Type.Optional(LeaseName),
  ttlMs: Type.Optional(TtlMs),
  prevKv: Type.Optional(Type.Boolean()),
};
export const Deleted = Type.Object(
  { deleted: Count, prev: Type.Optional(Type.Union([EntryView, Type.Null()])) },
  strict,
);

const opShapes = {
  set: Type.Optional(Type.Object(Set, strict)),
  delete: Type.Optional(Type.Object({ key: Key, prevKv: Type.Optional(Type.Boolean()) }, strict)),
  get: Type.Optional(Type.Object({ key: Key }, strict)),
  range: Type.Optional(
    Type.Object(
      { ...range, limit: Type.Optional(Limit), keysOnly: Type.Optional(Type.Boolean()) },
      strict,
    ),
  ),
  deleteRange: Type.Optional(Type.Object({ ...range }, strict)),
};
const resultShapes = {
  set: Type.Optional(Written),
  delete: Type.Optional(Deleted),
  get: Type.Optional(Type.Union([EntryView, Type.Null()])),
  range: Type.Optional(Type.Object({ entries: Type.Array(ListedView), next }, strict)),
  deleteRange: Type.Optional(Type.Object({ deleted: Count }, strict)),
};

/** Exactly one of the members, as `oneof` has it in etcd's interface. */
const one = {
  ...strict,
  minProperties: 1,
  maxProperties: 1,
  description: 'exactly one of set, delete, get, range, deleteRange, txn',
};
const opsOf = <Op extends TSchema>(op: Op) => Type.Array(op, { maxItems: OPS_MAX });
const branches = <Op extends TSchema>(op: Op) => ({
  compare: Type.Array(Compare, { maxItems: OPS_MAX }),
  success: Type.Optional(opsOf(op)),
  failure: Type.Optional(opsOf(op)),
});
const resultOf = <R extends TSchema>(result: R) => ({
  succeeded: Type.Boolean(),
  results: Type.Array(result),
});

const Innermost = Type.Object(opShapes, one);
/** An operation of a branch or of a batch: a transaction in a transaction, but no deeper. */
const Op = Type.Object(
  { ...opShapes, txn: Type.Optional(Type.Object(branches(Innermost), strict)) },
  one,
);
export const Ops = opsOf(Op);
export const Txn = branches(Op);

const InnermostResult = Type.Object(resultShapes, one);
const OpResult = Type.Object(
  {
    ...resultShapes,
    txn: Type.Optional(Type.Object(resultOf(InnermostResult), strict)),
  },
  { ...one, title: 'done' },
);
export const OpResults = Type.Array(OpResult);
export const TxnResult = resultOf(OpResult);

type OpArgs = Static<typeof Op>;
type OpResultOf = Static<typeof OpResult>;
interface TxnArgs {
  readonly compare: readonly Compare[];
  readonly success?: readonly OpArgs[];
  readonly failure?: readonly OpArgs[];
}

/** An operation, with what stands for it of a transaction in it. */
type Planned = { readonly op: OpArgs; readonly txn: Plan | null };
interface Plan {
  readonly succeeded: boolean;
  readonly ops: readonly Planned[];
}

/** What the results and the ranges of one transaction may still take. */
export class Allowance {
  #rows = ROWS_MAX;
  #bytes = RESULT_BYTES_MAX;

  rows(visited: number): ModuleRefusal | null {
    this.#rows -= visited;
    if (this.#rows >= 0) return null;
    return refuse('too_many_rows', `the ranges of a transaction cover at most ${ROWS_MAX} keys`);
  }

  shown(key: string, row: EntryRow): EntryView | ModuleRefusal {
    this.#bytes -= row.bytes;
    if (this.#bytes >= 0) return viewOf(key, row);
    return refuse(
      'result_too_large',
      `a result shows at most ${RESULT_BYTES_MAX} bytes of entries: read them by a query`,
    );
  }
}

export class Transaction {
  readonly #context: Commands;
  readonly #changes: Changes;
  readonly #allowance = new Allowance();

  constructor(context: Commands, changes: Changes) {
    this.#context = context;
    this.#changes = changes;
  }

  /** Both at once, as they see the same: what to do, and then to do it. */
  run(txn: TxnArgs): { succeeded: boolean; results: OpResultOf[] } | ModuleRefusal {
    const plan = this.#plan(txn);
    return plan instanceof ModuleRefusal ? plan : this.#do(plan);
  }

  #plan(txn: TxnArgs): Plan | ModuleRefusal {
    let succeeded = true;
    for (const compare of txn.compare) {
      const held = this.#compare(compare);
      if (held instanceof ModuleRefusal) return held;
      succeeded &&= held;
    }
    const ops: Planned[] = [];
    for (const op of (succeeded ? txn.success : txn.failure) ?? []) {
      const inner = op.txn === undefined ? null : this.#plan(op.txn);
      if (inner instanceof ModuleRefusal) return inner;
      ops.push({ op, txn: inner });
    }
    return { succeeded, ops };
  }

  #compare(compare: Compare): boolean | ModuleRefusal {
    const misfit = misfitOf(compare);
    if (misfit !== null) return misfit;
    if (compare.prefix !== true) return holds(compare, this.#changes.find(compare.key));
    const page = this.#range({ prefix: compare.key });
    if (page instanceof ModuleRefusal) return page;
    if (page.rows.length === 0) return holds(compare, undefined);
    return page.rows.every(([, row]) => {
      if (compare.target === 'value') this.#context.meter.spend(row.bytes * COMPARE_STEPS);
      return holds(compare, row);
    });
  }

  #do({ succeeded, ops }: Plan): { succeeded: boolean; results: OpResultOf[] } | ModuleRefusal {
    const results: OpResultOf[] = [];
    for (const planned of ops) {
      const result = this.#doOne(planned);
      if (result instanceof ModuleRefusal) return result;
      results.push(result);
    }
    return { succeeded, results };
  }

  #doOne({ op, txn }: Planned): OpResultOf | ModuleRefusal {
    if (txn !== null) return under('txn', this.#do(txn));
    if (op.set !== undefined) return under('set', setKey(this.#changes, op.set, this.#allowance));
    if (op.delete !== undefined) {
      return under('delete', deleteKey(this.#changes, op.delete, this.#allowance));
    }
    if (op.get !== undefined) return under('get', this.#get(op.get.key));
    if (op.range !== undefined) return under('range', this.#list(op.range));
    return under('deleteRange', this.#deleteRange(op.deleteRange!));
  }

  #get(key: string): EntryView | null | ModuleRefusal {
    const row = this.#changes.find(key);
    return row === undefined ? null : this.#allowance.shown(key, row);
  }

  /** All of the range, unless it has more rows than a transaction may look at. */
  #range(asked: KeyRange) {
    const rows: (readonly [string, EntryRow])[] = [];
    let after: string | undefined;
    for (;;) {
      const limit = ROWS_MAX + 1;
      const each = { ...asked, limit, ...(after === undefined ? {} : { after }) };
      const page = this.#page(each);
      if (page instanceof ModuleRefusal) return page;
      rows.push(...page.rows);
      if (page.next === null) return { rows };
      after = page.next;
    }
  }

  #page(asked: KeyRange): KeyPage | ModuleRefusal {
    const page = pageOf(this.#context, this.#changes.namespace, asked);
    this.#context.meter.spend(page.visited * LOOK_STEPS);
    return this.#allowance.rows(page.visited) ?? page;
  }

  #list({ limit = ROWS_MAX, keysOnly = false, ...asked }: KeyRange & { keysOnly?: boolean }) {
    const page = this.#page({ ...asked, limit });
    if (page instanceof ModuleRefusal) return page;
    const entries: ListedView[] = [];
    for (const [key, row] of page.rows) {
      const shown = keysOnly ? keyOf(key, row) : this.#allowance.shown(key, row);
      if (shown instanceof ModuleRefusal) return shown;
      entries.push(shown);
    }
    return { entries, next: page.next };
  }

  #deleteRange(asked: KeyRange): { deleted: number } | ModuleRefusal {
    const page = this.#range(asked);
    if (page instanceof ModuleRefusal) return page;
    const { namespace } = this.#changes;
    for (const [key] of page.rows) {
      this.#context.meter.spend(deleteSteps(rowKey({ namespace, key })));
      const refused = this.#changes.delete(key);
      if (refused !== null) return refused;
    }
    return { deleted: page.rows.length };
  }
}

function under<Name extends string, Result>(
  name: Name,
  result: Result | ModuleRefusal,
): { [each in Name]: Result } | ModuleRefusal {
  if (result instanceof ModuleRefusal) return result;
  return { [name]: result } as { [each in Name]: Result };
}

/** An entry without its value. */
export function keyOf(key: string, row: EntryRow): ListedView {
  const { value: _value, ...marks } = viewOf(key, row);
  return marks;
}

/** The entry before, where it was asked for. */
function prevOf(
  key: string,
  row: EntryRow | undefined,
  prevKv: boolean | undefined,
  allowance: Allowance,
): { readonly prev?: EntryView | null } | ModuleRefusal {
  if (prevKv !== true) return {};
  const prev = row === undefined ? null : allowance.shown(key, row);
  return prev instanceof ModuleRefusal ? prev : { prev };
}

interface SetArgs {
  readonly key: string;
  readonly value: EntryRow['value'];
  readonly lease?: string;
  readonly ttlMs?: number;
  readonly prevKv?: boolean;
}

export function setKey(
  changes: Changes,
  { key, value, prevKv, ...lifetime }: SetArgs,
  allowance = new Allowance(),
): Written | ModuleRefusal {
  const prev = prevOf(key, changes.find(key), prevKv, allowance);
  if (prev instanceof ModuleRefusal) return prev;
  const row = changes.set(key, value, lifetime);
  if (row instanceof ModuleRefusal) return row;
  const { createRevision, modRevision, version, lease } = row;
  const marks = { createRevision, modRevision, version };
  return { ...marks, ...(lease === undefined ? {} : { lease }), ...prev };
}

/** Nothing is done when there is no such key. */
export function deleteKey(
  changes: Changes,
  { key, prevKv }: { readonly key: string; readonly prevKv?: boolean },
  allowance = new Allowance(),
): Static<typeof Deleted> | ModuleRefusal {
  const row = changes.find(key);
  const prev = prevOf(key, row, prevKv, allowance);
  if (prev instanceof ModuleRefusal) return prev;
  if (row === undefined) return { deleted: 0, ...prev };
  return changes.delete(key) ?? { deleted: 1, ...prev };
}
