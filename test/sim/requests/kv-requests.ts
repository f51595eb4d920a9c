/** Writes of keys that clients share: plain, conditional, by transactions, under leases, and claims. */
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { LEASED } from '../history/kv-model.ts';
import type { Random } from '../../../bench/random.ts';
import type { Notebook } from './notebook.ts';

/** A namespace that its owner alone writes while it is claimed. */
const CLAIMED = 'own';
const TARGETS = ['value', 'version', 'createRevision', 'modRevision'] as const;
const RELATIONS = ['equal', 'notEqual', 'greater', 'less'] as const;

export const KEYS = ['a', 'b', 'b/1', 'b/2', 'c'] as const;
const LEASES = ['x', 'y', 'z'] as const;
const VALUES = 4;

const kv = (command: string, args: Readonly<Record<string, Value>>): Call => ({
  module: 'kv',
  command,
  args,
});

export function kvRequest(random: Random, { revisions }: Notebook): Call {
  const key = random.pick(KEYS);
  const value = random.int(VALUES);
  const at = { namespace: LEASED, key };
  const ifRevision = random.chance(0.8) ? (revisions.get(key) ?? 0) : random.int(6);
  switch (random.int(12)) {
    case 0:
    case 1:
      return kv('set', { ...at, value, ...lifetime(random) });
    case 2:
    case 3:
      return kv('set', { ...at, value, ifRevision });
    case 4:
      return kv('delete', random.chance(0.5) ? at : { ...at, ifRevision });
    case 5: {
      const expected = random.chance(0.3) ? {} : { expected: random.int(VALUES) };
      return kv('compareAndSet', { ...at, value, ...expected });
    }
    case 6:
    case 7:
      return kv('txn', {
        namespace: LEASED,
        compare: many(random, 2, () => comparison(random)),
        success: many(random, 3, () => operation(random)),
        failure: many(random, 3, () => operation(random)),
      });
    case 8:
      return kv('batch', { namespace: LEASED, ops: many(random, 3, () => operation(random)) });
    case 9:
    case 10:
      return lease(random);
    default:
      return claimed(random, value);
  }
}

function lease(random: Random): Call {
  const name = random.pick(LEASES);
  const id = random.chance(0.2) ? `${LEASED}/${random.pick(KEYS)}` : name;
  switch (random.int(4)) {
    case 0:
    case 1:
      return kv('grantLease', { lease: name, ttlMs: random.between(1, 1_500) });
    case 2:
      return kv('keepAlive', { lease: id });
    default:
      return kv('revokeLease', { lease: id });
  }
}

function claimed(random: Random, value: number): Call {
  const namespace = CLAIMED;
  switch (random.int(5)) {
    case 0:
      return kv('claim', { namespace });
    case 1:
      return kv('release', { namespace });
    case 2:
      return kv('delete', { namespace, key: 'a' });
    default:
      return kv('set', { namespace, key: 'a', value });
  }
}

function lifetime(random: Random): Readonly<Record<string, Value>> {
  const kind = random.int(12);
  if (kind < 2) return { lease: random.pick(LEASES) };
  return kind < 4 ? { ttlMs: random.between(1, 1_000) } : {};
}

function comparison(random: Random): Value {
  const [target, is] = [random.pick(TARGETS), random.pick(RELATIONS)];
  return { key: random.pick(KEYS), target, is, value: random.int(VALUES) };
}

function operation(random: Random): Value {
  const key = random.pick(KEYS);
  switch (random.int(6)) {
    case 0:
      return { get: { key } };
    case 1:
      return { delete: { key } };
    case 2:
      return { deleteRange: { prefix: 'b' } };
    default:
      return { set: { key, value: random.int(VALUES), ...lifetime(random) } };
  }
}

function many(random: Random, max: number, make: () => Value): Value[] {
  return Array.from({ length: random.between(0, max) }, make);
}
