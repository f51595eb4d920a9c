import test from 'ava';
import fc from 'fast-check';
import { toHex } from '../../protocols/bytes.ts';
import { InvariantViolation, type LogEvent } from '../../protocols/machine.ts';
import { ChunkLog } from '../../protocols/transaction/chunk-log.ts';
import { HeightTree, type Chunk } from '../../protocols/transaction/height-tree.ts';
import { Subtrees } from '../../protocols/transaction/subtrees.ts';
import { crypto } from './crypto.ts';

function hash(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  crypto.treeHash(bytes, out, 0);
  return out;
}

const leafOf = (height: number): Uint8Array => hash(Buffer.from(`leaf ${height}`));

/** RFC 6962, section 2.1.1, over leaves that are hashed already: the siblings on the way up. */
function siblings(leaves: readonly Uint8Array[], index: number): string[] {
  if (leaves.length === 1) return [];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...siblings(left, index), toHex(rootOf(right))]
    : [...siblings(right, index - split), toHex(rootOf(left))];
}

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const halves = [rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split))];
  return hash(Buffer.concat([Uint8Array.of(1), ...halves]));
}

/** A tree with small chunks, and a log for the full ones. */
class Heights {
  readonly tree: HeightTree;
  readonly leaves: Uint8Array[] = [];
  readonly full: Chunk[] = [];

  constructor(bits: number, count: number) {
    this.tree = new HeightTree(crypto, bits);
    for (let height = 1; height <= count; height++) {
      this.leaves.push(leafOf(height));
      this.tree.append(leafOf(height));
      this.full.push(...this.tree.takeFull());
    }
  }

  /** The siblings, and how many chunks were read from the log for them. */
  path(height: number, size: number): { siblings: string[]; read: number } {
    let read = 0;
    const chunks = this.tree.chunksFor(height, size);
    const known = new Map(
      chunks.map((name) => {
        const hashes = this.tree.chunk(name);
        if (hashes !== null) return [`${name.level}/${name.index}`, hashes] as const;
        read++;
        const chunk = this.full[this.tree.positionOf(name)]!;
        if (chunk.level !== name.level || chunk.index !== name.index) throw new Error('misplaced');
        return [`${name.level}/${name.index}`, Subtrees.of(crypto, chunk.hashes)] as const;
      }),
    );
    const steps = this.tree.path(height, size, ({ level, index }) =>
      known.get(`${level}/${index}`)!,
    );
    const found = steps.map(({ prefix, suffix }) =>
      toHex(suffix.length > 0 ? suffix : prefix.subarray(1)),
    );
    return { siblings: found, read };
  }
}

test('I115: the way up from any block, in the tree of any size near the newest, is that of RFC 6962', (t) => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 300 }));
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(9), ([bits, count], pick, behind) => {
      const heights = new Heights(bits, count);
      const size = Math.max(1, count - Math.min(behind, 2 ** bits));
      const height = 1 + (pick % size);
      const leaves = heights.leaves.slice(0, size);
      t.deepEqual(heights.path(height, size).siblings, siblings(leaves, height - 1));
      t.is<string, string>(heights.tree.digest(), toHex(rootOf(heights.leaves)));
    }),
    { numRuns: 300 },
  );
});

test('I115: of each level at most two chunks are needed, and the log is read only for old ones', (t) => {
  const heights = new Heights(2, 4 ** 4 + 30);
  for (let height = 1; height <= heights.tree.size; height++) {
    const levels = heights.tree.chunksFor(height, heights.tree.size).map(({ level }) => level);
    for (const level of levels) t.true(levels.filter((each) => each === level).length <= 2);
    t.true(heights.path(height, heights.tree.size).read <= levels.length);
  }
  t.is(heights.path(heights.tree.size, heights.tree.size).read, 0);
  const old = heights.path(1, heights.tree.size);
  t.true(old.read >= 2, 'the chunk of the block, and that of the chunks beside it');
});

test('I115: memory holds two chunks of each level, however many blocks there are', (t) => {
  const heights = new Heights(2, 1000);
  for (let level = 0; level < 6; level++) {
    const held = Array.from({ length: 250 }, (_, index) => heights.tree.chunk({ level, index }));
    t.true(held.filter((hashes) => hashes !== null).length <= 2);
  }
});

function recorded(log: ChunkLog, chunks: readonly Chunk[]): LogEvent[] {
  return chunks.flatMap((chunk) => log.record(chunk) ?? []);
}

test('I115: chunks that the log has are not written again, and must be what execution gives', (t) => {
  const { full } = new Heights(2, 200);
  const events = recorded(new ChunkLog(), full);
  t.deepEqual(
    events.map(({ seq }) => seq),
    full.map((_, at) => at),
  );
  for (const stored of [0, 1, 17, events.length]) {
    const log = new ChunkLog();
    const last = events[stored - 1];
    if (last !== undefined) log.recover(last);
    t.deepEqual(recorded(log, full), events.slice(stored));
  }
  const other = new ChunkLog();
  other.recover(events[3]!);
  const changed = full.map((chunk, at) => (at === 3 ? { ...chunk, root: full[0]!.root } : chunk));
  const error = t.throws(() => recorded(other, changed), { instanceOf: InvariantViolation });
  t.is(error.code, 'log_diverged');
  const unread = t.throws(() => new ChunkLog().recover({ ...events[0]!, kind: 'else' }), {
    instanceOf: InvariantViolation,
  });
  t.is(unread.code, 'log_unreadable');
});
