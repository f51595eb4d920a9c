/** I111 over trees of all sizes, also such whose paths begin alike for most of their length. */
import test from 'ava';
import fc from 'fast-check';
import type { Crypto } from '../../protocols/crypto.ts';
import type { AbsenceClaim, RowClaim } from '../../protocols/proofs/format.ts';
import { rowFault } from '../../protocols/proofs/row-proof.ts';
import { StateTree } from '../../protocols/transaction/state-tree.ts';
import { pathOf, rowHash } from '../../protocols/transaction/tree-encoding.ts';
import { encodeValue } from '../../protocols/transaction/values.ts';
import { ZERO_DIGEST, type Digest } from '../../protocols/types.ts';
import { crypto } from '../transaction/crypto.ts';

const TABLE = 't';

/** Hashes as usual, but all paths have their first 224 bits in common. */
const alike: Crypto = {
  ...crypto,
  treeHash(input, out, offset) {
    crypto.treeHash(input, out, offset);
    const isPath = input[3] === TABLE.length && input[4] === TABLE.charCodeAt(0);
    if (isPath) out.fill(0xa5, offset, offset + 28);
  },
};

class Rows {
  readonly crypto: Crypto;
  readonly tree: StateTree;
  readonly rows = new Map<string, number>();
  root: Digest = ZERO_DIGEST;

  constructor(port: Crypto, keys: readonly string[]) {
    this.crypto = port;
    this.tree = new StateTree(port);
    for (const key of keys) {
      const leaf = this.tree.create(TABLE, key);
      this.tree.row().value(key.length);
      this.tree.put(leaf);
      this.rows.set(key, key.length);
    }
    this.root = this.tree.update();
  }

  claim(key: string): RowClaim | AbsenceClaim {
    const { leaf, steps } = this.tree.find(pathOf(this.crypto, TABLE, key));
    const row = this.rows.get(key);
    if (row === undefined) return { kind: 'absence', table: TABLE, key, leaf, steps };
    return { kind: 'row', table: TABLE, key, row: encodeValue(row), steps };
  }

  fault(claim: RowClaim | AbsenceClaim): string | null {
    return rowFault(this.crypto, claim, this.root);
  }
}

const key = fc.string({ minLength: 1, maxLength: 12 });
const keys = fc.uniqueArray(key, { maxLength: 500, size: 'max' });

for (const [name, port] of [
  ['usual paths', crypto],
  ['paths that begin alike', alike],
] as const) {
  test(`I111: every row and every absence is proved, and never the other: ${name}`, (t) => {
    fc.assert(
      fc.property(keys, fc.array(key, { maxLength: 20 }), (present, others) => {
        const rows = new Rows(port, present);
        for (const each of [...present.slice(0, 40), ...others]) {
          const claim = rows.claim(each);
          t.is(rows.fault(claim), null);
          const { steps } = claim;
          const asked = { table: TABLE, key: each, steps };
          if (claim.kind === 'row') {
            // That there is nothing in its place, or its own leaf, or a leaf that is made up.
            const hash = rowHash(port, claim.row);
            const path = pathOf(port, TABLE, each);
            const leaves = [null, { path, rowHash: hash }, { path: hash, rowHash: hash }];
            for (const leaf of leaves) t.not(rows.fault({ kind: 'absence', ...asked, leaf }), null);
            t.not(rows.fault({ ...claim, row: encodeValue(-1) }), null);
            t.not(rows.fault({ ...claim, table: 'u' }), null);
          } else {
            t.not(rows.fault({ kind: 'row', ...asked, row: encodeValue(each.length) }), null);
            const leaf = claim.leaf === null ? { path: hashOf(1), rowHash: hashOf(2) } : null;
            t.not(rows.fault({ ...claim, leaf }), null);
          }
          for (const other of present.slice(0, 5)) {
            if (other !== each) t.not(rows.fault({ ...claim, key: other }), null);
          }
        }
      }),
      { numRuns: 10 },
    );
  });
}

const hashOf = (byte: number): Uint8Array => rowHash(crypto, Uint8Array.of(byte));

test('I111: paths that begin alike make proofs as long as what they share', (t) => {
  const rows = new Rows(alike, ['a', 'b', 'c', 'd']);
  t.true(rows.claim('a').steps.length > 224);
  t.is(rows.fault(rows.claim('a')), null);
});

/** The two children of the root of some tree, which are as wanted. */
function childrenWhere(isWanted: (left: Uint8Array, right: Uint8Array) => boolean): {
  rows: Rows;
  left: Uint8Array;
  right: Uint8Array;
} {
  for (let at = 0; ; at++) {
    const rows = new Rows(
      crypto,
      [1, 2, 3, 4].map((n) => `${at}-${n}`),
    );
    const [left, right] = [0, 1].map((bit) => {
      // What a key of the other side has beside it at the top.
      const top = rows.claim(keyWithBit(1 - bit)).steps.at(-1)!;
      return bit === 0 ? top.prefix.subarray(0, -1) : top.suffix;
    });
    if (isWanted(left!, right!)) return { rows, left: left!, right: right! };
  }
}

/** A key that is in no tree here, whose path begins with this bit. */
function keyWithBit(bit: number): string {
  for (let at = 0; ; at++) {
    if (pathOf(crypto, TABLE, `x${at}`)[0]! >> 7 === bit) return `x${at}`;
  }
}

/** What `rows` say to a made-up absence, one step below the root. */
function faultOf(
  rows: Rows,
  bit: number,
  leaf: AbsenceClaim['leaf'],
  prefix: readonly number[],
  suffix: readonly number[],
): string | null {
  const steps = [{ prefix: Uint8Array.from(prefix), suffix: Uint8Array.from(suffix) }];
  return rows.fault({ kind: 'absence', table: TABLE, key: keyWithBit(bit), leaf, steps });
}

const SUBTREE = 3;
const ONE_LEAF = 2;

test('I111: the end of a hash does not pass for a child that is nothing', (t) => {
  const onRight = childrenWhere((_, right) => right[0] === SUBTREE && right.at(-1) === 1);
  const { rows, left, right } = onRight;
  t.is(faultOf(rows, 1, null, [...left, ...right], []), 'malformed');
  const onLeft = childrenWhere((child) => child[0] === SUBTREE && child.at(-1) === 1);
  t.is(faultOf(onLeft.rows, 0, null, [...onLeft.left], [...onLeft.right]), 'malformed');
});

test('I111: a subtree and the start of the leaf beside it do not pass for a leaf', (t) => {
  const { rows, left, right } = childrenWhere(
    (one, other) => one[0] === SUBTREE && other[0] === ONE_LEAF && other[32] === SUBTREE,
  );
  const leaf = { path: left.slice(1), rowHash: right.slice(0, 32) };
  t.is(faultOf(rows, 0, leaf, [SUBTREE], [...right.subarray(32)]), 'malformed');
});
