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

/** The tree of rows, one of whose steps could be cut elsewhere than between its two children. */
function misread(port: Crypto): { rows: Rows; claim: RowClaim } {
  for (let at = 0; ; at++) {
    const rows = new Rows(
      port,
      [1, 2, 3, 4].map((n) => `${at}-${n}`),
    );
    for (const each of rows.rows.keys()) {
      const claim = rows.claim(each) as RowClaim;
      // The right child at the top, whose hash ends like a child that is nothing.
      const right = claim.steps.at(-1)?.suffix;
      if (right?.[0] === 3 && right.at(-1) === 1) return { rows, claim };
    }
  }
}

test('I111: the end of a hash does not pass for a child that is nothing', (t) => {
  const { rows, claim } = misread(crypto);
  const [top] = claim.steps.slice(-1);
  // All that is hashed for the root, but for its last byte, as the left child of "nothing".
  const below = claim.steps.slice(0, -1);
  const left = topLeft(rows, claim, below);
  const prefix = Uint8Array.of(...top!.prefix, ...left, ...top!.suffix);
  for (let at = 0; ; at++) {
    const forged = {
      kind: 'absence',
      table: TABLE,
      key: `x${at}`,
      leaf: null,
      steps: [{ prefix, suffix: new Uint8Array(0) }],
    } as const;
    // A key whose path begins with a one.
    if ((pathOf(crypto, TABLE, forged.key)[0]! & 0x80) === 0) continue;
    t.is(rows.fault(forged), 'malformed');
    return;
  }
});

/** What stands between the prefix and the suffix of the top step: the left child without its kind. */
function topLeft(rows: Rows, claim: RowClaim, below: RowClaim['steps']): Uint8Array {
  const out = new Uint8Array(32);
  let node = Uint8Array.of(...pathOf(crypto, TABLE, claim.key), ...rowHash(crypto, claim.row));
  for (const { prefix, suffix } of below) {
    crypto.treeHash(Uint8Array.of(...prefix, ...node, ...suffix), out, 0);
    node = out.slice();
  }
  return node;
}
