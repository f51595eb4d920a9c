import test from 'ava';
import fc from 'fast-check';
import { toHex, utf8, Writer } from '../../protocols/bytes.ts';
import { StateTree } from '../../protocols/transaction/state-tree.ts';
import { encodeValue } from '../../protocols/transaction/values.ts';
import { crypto } from './crypto.ts';

function hash(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  crypto.treeHash(bytes, out, 0);
  return out;
}

const pathOf = (key: string): Uint8Array =>
  hash(Buffer.concat([new Writer().text('t').take(), utf8(key)]));
const bitOf = (path: Uint8Array, depth: number): number =>
  (path[depth >> 3]! >> (7 - (depth & 7))) & 1;

/** The definition of the root, taken literally. */
function naiveRoot(rows: readonly (readonly [string, number])[]): string {
  const leaves = rows.map(([key, row]) => {
    const path = pathOf(key);
    const rowHash = hash(Buffer.concat([Uint8Array.of(0), encodeValue(row)]));
    return { path, child: Buffer.concat([Uint8Array.of(2), path, rowHash]) };
  });
  const child = (within: typeof leaves, depth: number): Uint8Array => {
    if (within.length === 0) return Uint8Array.of(1);
    if (within.length === 1) return within[0]!.child;
    const [left, right] = [0, 1].map((bit) =>
      child(
        within.filter(({ path }) => bitOf(path, depth) === bit),
        depth + 1,
      ),
    );
    return Buffer.concat([Uint8Array.of(3), hash(Buffer.concat([left!, right!]))]);
  };
  const top = child(leaves, 0);
  if (leaves.length === 0) return '0'.repeat(64);
  return toHex(leaves.length === 1 ? hash(top) : top.subarray(1));
}

/** A tree driven by key, as the state drives it. */
class Rows {
  readonly #tree = new StateTree(crypto);
  readonly #leaves = new Map<string, number>();
  readonly rows = new Map<string, number>();

  write(key: string, row: number | null): void {
    const leaf = this.#leaves.get(key);
    if (row !== null) {
      const at = leaf ?? this.#tree.create('t', key);
      this.#leaves.set(key, at);
      this.#tree.row().value(row);
      this.#tree.put(at);
      this.rows.set(key, row);
    } else if (leaf !== undefined) {
      this.#tree.remove(leaf);
      this.#leaves.delete(key);
      this.rows.delete(key);
    }
  }

  update(): string {
    return this.#tree.update();
  }
}

const key = fc.integer({ min: 0, max: 40 }).map((n) => `k${n}`);
const batch = fc.uniqueArray(fc.tuple(key, fc.option(fc.nat(1000))), {
  selector: ([name]) => name,
  maxLength: 30,
});

test('I49: after any history the root is that of the rows, by the definition', (t) => {
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 8 }), (batches) => {
      const rows = new Rows();
      for (const changes of batches) {
        for (const [name, row] of changes) rows.write(name, row);
        t.is(rows.update(), naiveRoot([...rows.rows]));
      }
    }),
    { numRuns: 150 },
  );
});

test('I49: the order of writing and the cut into batches do not matter', (t) => {
  const some = fc.uniqueArray(fc.tuple(key, fc.nat(1000)), { selector: ([name]) => name });
  fc.assert(
    fc.property(some, fc.infiniteStream(fc.boolean()), (rows, cuts) => {
      const forward = new Rows();
      const backward = new Rows();
      for (const [name, row] of rows) forward.write(name, row);
      for (const [name, row] of rows.toReversed()) {
        backward.write(name, row);
        if (cuts.next().value) backward.update();
      }
      t.is(forward.update(), backward.update());
    }),
  );
});

test('I49: a tree that is emptied is the empty tree', (t) => {
  const rows = new Rows();
  for (let i = 0; i < 100; i++) rows.write(`k${i}`, i);
  rows.update();
  for (let i = 0; i < 100; i++) rows.write(`k${i}`, null);
  t.is(rows.update(), '0'.repeat(64));
});

test('I50: one row more, less or different is another root', (t) => {
  const rows = new Rows();
  const seen = new Set<string>([rows.update()]);
  for (let i = 0; i < 50; i++) {
    rows.write(`k${i}`, i);
    seen.add(rows.update());
    rows.write(`k${i}`, i + 1);
    seen.add(rows.update());
  }
  t.is(seen.size, 101);
});

test('the root of two rows is the committed one', (t) => {
  const rows = new Rows();
  rows.write('a', 1);
  rows.write('b', 2);
  t.is(rows.update(), naiveRoot([...rows.rows]));
  t.is(rows.update(), 'a01ebcca4790219c2eba48f0adc61d8b0b24af2c93dc85a9a3fd68af2ef5f1ba');
});
