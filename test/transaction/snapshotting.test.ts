/** When snapshots are made and kept, and what is made of them after a restart. */
import test from 'ava';
import type { LogEvent } from '../../protocols/machine.ts';
import type { Digest } from '../../protocols/types.ts';
import { clusterOf, payloadOf } from './fixture.ts';
import { Disk, Node, sub } from './node.ts';

/** Blocks of one submission each. */
function run(node: Node, blocks: number): void {
  for (let left = blocks; left > 0; left--) {
    node.execute([{ lane: 1, payload: payloadOf([sub(node.height)]) }]);
  }
}

/** What a node that executed everything says at this height, and its log. */
function whole(height: number): Node {
  const node = new Node(clusterOf(), [], new Disk());
  run(node, height);
  return node;
}

const checkpointsOf = (node: Node) =>
  node.told.flatMap((each) => (each.kind === 'checkpointExecuted' ? [each.executed] : []));

const startOf = (node: Node) => node.told.find(({ kind }) => kind === 'executeFrom');

const upTo = (log: readonly LogEvent[], height: number): LogEvent[] =>
  log.filter(({ stream, seq }) => stream !== 'chain' || seq < height);

test('I141: a snapshot is kept once a final block certifies its checkpoint', (t) => {
  const disk = new Disk();
  const node = new Node(clusterOf(), [], disk);
  run(node, 4);
  t.deepEqual(disk.heights, []);
  t.is(node.machine.status().snapshotHeight, 0);
  run(node, 1);
  t.deepEqual(disk.heights, [4]);
  t.is(node.machine.status().snapshotHeight, 4);
});

test('I140: the next one is due when as much was executed as there are rows', (t) => {
  const disk = new Disk();
  const node = new Node(clusterOf(), [], disk);
  run(node, 60);
  // A block counts as 9: at height 36 there are more rows than 4 blocks count.
  t.deepEqual(disk.heights, [4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56]);
  const other = new Disk();
  run(new Node(clusterOf(), [], other), 60);
  t.deepEqual(other.snapshots, disk.snapshots);
});

test('I139: a restarted node starts from its newest snapshot, and goes on as if it had executed all', (t) => {
  const disk = new Disk();
  const first = new Node(clusterOf(), [], disk);
  run(first, 30);
  const newest = disk.heights.at(-1)!;
  const node = new Node(clusterOf(), [...first.log], disk);
  t.like(startOf(node), { height: newest });
  t.deepEqual(checkpointsOf(node).slice(0, 2), checkpointsOf(whole(newest)).slice(-2));
  t.is(node.machine.status().replayingTo, 30);
  t.is(node.machine.status().executedTransactions, newest);
  run(node, 50 - newest);
  const all = whole(50);
  t.deepEqual(checkpointsOf(node).at(-1), checkpointsOf(all).at(-1));
  t.deepEqual(node.events('transaction'), all.events('transaction'));
  t.deepEqual(node.codes(), all.codes());
});

test('I139: what the chain in the log does not certify, or receipts do not reach, is not used', (t) => {
  const disk = new Disk();
  const first = new Node(clusterOf(), [], disk);
  run(first, 30);
  const start = (log: LogEvent[]) => startOf(new Node(clusterOf(), log, disk));
  for (const height of disk.heights) {
    // The block at height + 1 is the first that names the checkpoint.
    t.like(start(upTo(first.log, height + 1)), { height });
    const before = disk.heights[disk.heights.indexOf(height) - 1] ?? 0;
    t.like(start(upTo(first.log, height)), { height: before });
  }
  const fewReceipts = first.log.filter(({ stream, seq }) => stream === 'chain' || seq < 13);
  t.like(start(fewReceipts), { height: 12 });
  t.like(start(first.log.filter(({ stream }) => stream === 'chain')), { height: 0 });
  t.like(start([]), { height: 0 });
});

test('I139: one that is spoiled is passed over for the one before', (t) => {
  const disk = new Disk();
  const first = new Node(clusterOf(), [], disk);
  run(first, 30);
  const [before, newest] = disk.heights.slice(-2);
  const spoiled = (spoil: (bytes: Uint8Array) => Uint8Array, where: 'head' | 'part'): unknown => {
    const other = new Disk();
    other.snapshots.push(...disk.snapshots.map((each) => ({ ...each, parts: [...each.parts] })));
    const last = other.snapshots.findLast(({ height }) => height === newest)!;
    if (where === 'head') last.head = spoil(last.head!);
    else last.parts[0] = spoil(last.parts[0]!);
    return startOf(new Node(clusterOf(), [...first.log], other));
  };
  t.like(
    spoiled((bytes) => bytes, 'part'),
    { height: newest },
  );
  for (const where of ['head', 'part'] as const) {
    t.like(
      spoiled((bytes) => bytes.map((each, at) => (at === 40 ? each ^ 1 : each)), where),
      { height: before },
    );
    t.like(
      spoiled((bytes) => bytes.subarray(0, -1), where),
      { height: before },
    );
    t.like(
      spoiled(() => new Uint8Array(0), where),
      { height: before },
    );
  }
});

test('a disk that takes no snapshot is told of, and the next one is tried again', (t) => {
  const disk = new Disk();
  disk.full = 'no space left on device';
  const node = new Node(clusterOf(), [], disk);
  run(node, 5);
  t.is(node.machine.status().snapshotProblem, 'no space left on device');
  disk.full = null;
  run(node, 12);
  t.is(node.machine.status().snapshotProblem, undefined);
  t.true(disk.heights.length > 0);
});

test('I139: a snapshot of another cluster is not used', (t) => {
  const disk = new Disk();
  const first = new Node(clusterOf(), [], disk);
  run(first, 30);
  const other = { ...clusterOf(), id: 'cd'.repeat(32) as Digest };
  t.like(startOf(new Node(other, [...first.log], disk)), { height: 0 });
});

test('what the log has comes before the first step, or not at all', (t) => {
  const node = whole(8);
  const [event] = node.events('transaction');
  t.throws(() => node.machine.recover(event!), { code: 'recovery_over' });
  t.throws(() => node.machine.recoverSnapshot({ kind: 'none' }), { code: 'recovery_over' });
});
