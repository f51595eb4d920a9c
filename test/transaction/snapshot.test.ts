/** Snapshots: the same bytes at every node, and what starts from them goes on as if it had executed all. */
import test from 'ava';
import fc from 'fast-check';
import type { BlockResult } from '../../protocols/transaction/execution.ts';
import { SnapshotWriter, type SnapshotHead } from '../../protocols/transaction/snapshot.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import { ZERO_DIGEST, type PublicKey } from '../../protocols/types.ts';
import { testSigner } from './crypto.ts';
import { Chain, clusterOf, signed, START_MS, vouched } from './fixture.ts';
import { put } from './modules.ts';
import { headOf, loadSnapshot, take, type Taken } from './snapshots.ts';

const MINUTE = 60_000;
const CHECKPOINT = 4;
const cluster = clusterOf({ checkpointInterval: CHECKPOINT });
const clients = Array.from({ length: 5 }, (_, at) => testSigner(20 + at));

type Batch = readonly [number, readonly Uint8Array[]];

interface PlannedBlock {
  readonly time: number;
  readonly batches: readonly Batch[];
}

/** What one submission does. */
interface Planned {
  readonly client: number;
  readonly seq: number;
  readonly validForMs: number;
  readonly key: number;
  readonly what: 'put' | 'remove' | 'later' | 'text' | 'keyed';
}

const planned: fc.Arbitrary<Planned> = fc.record({
  client: fc.nat(clients.length - 1),
  seq: fc.oneof(fc.nat(40), fc.integer({ min: 1000, max: 1100 })),
  validForMs: fc.constantFrom(1_000, 30_000, 3 * MINUTE),
  key: fc.nat(20),
  what: fc.constantFrom('put', 'put', 'remove', 'later', 'text', 'keyed'),
});

const blocks = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 10, 20_000, MINUTE, 4 * MINUTE),
    submissions: fc.array(planned, { maxLength: 6 }),
  }),
  { minLength: 3 * CHECKPOINT, maxLength: 6 * CHECKPOINT },
);

function callOf({ what, key, seq }: Planned, time: number): Call {
  const name = `row ${key}`;
  if (what === 'remove') return { module: 'scratch', command: 'remove', args: name };
  if (what === 'text') return put(name, `text ${seq}`);
  if (what !== 'later') return put(name, { seq, key });
  const args = { at: time + seq * 1000, timer: 'tick', data: key };
  return { module: 'second', command: 'later', args };
}

function submissionOf(each: Planned, time: number): Uint8Array {
  const validUntil = time + each.validForMs;
  const calls = [callOf(each, time)];
  if (each.what === 'keyed') return vouched(`key ${each.seq}`, calls, { validUntil });
  return signed(each.seq, calls, { signer: clients[each.client]!, validUntil });
}

function planOf(drawn: readonly { afterMs: number; submissions: Planned[] }[]): PlannedBlock[] {
  let time = START_MS;
  return drawn.map(({ afterMs, submissions }) => {
    time += afterMs + 1;
    return { time, batches: [[0, submissions.map((each) => submissionOf(each, time))]] };
  });
}

/** What a block came to, for comparison. */
const outcomeOf = ({ receiptsRoot, checkpoint, txCount }: BlockResult) => ({
  receiptsRoot,
  checkpoint,
  txCount,
});

/** Runs the plan; from the checkpoint at `height` on a snapshot is made, `rows` rows after each block. */
function runTaking(
  plan: readonly PlannedBlock[],
  height: number,
  rows: number,
  chain = new Chain(cluster),
) {
  const outcomes: ReturnType<typeof outcomeOf>[] = [];
  const parts: Uint8Array[] = [];
  let head: SnapshotHead | null = null;
  let writer: SnapshotWriter | null = null;
  for (const { time, batches } of plan) {
    const result = chain.next(batches, time);
    outcomes.push(outcomeOf(result));
    const { executor } = chain;
    if (executor.height === height) {
      head = headOf(chain, result);
      writer = new SnapshotWriter(executor.state, executor.heights, 300);
    }
    if (writer?.isDone === false) take(writer, rows, parts);
  }
  while (writer!.isDone === false) take(writer!, 1, parts);
  return { outcomes, taken: { head: head!, parts } };
}

test('I136, I137, I138: whatever is executed while it is made, a snapshot is that of its height, and who starts from it goes on alike', (t) => {
  const runs = fc.tuple(blocks, fc.constantFrom(1, 2, 5, 1000), fc.nat(2));
  fc.assert(
    fc.property(runs, ([drawn, rows, which]) => {
      const plan = planOf(drawn);
      const height = CHECKPOINT * (1 + which);
      const { outcomes, taken } = runTaking(plan, height, rows);
      const atOnce = runTaking(plan, height, Infinity);
      t.deepEqual(taken.parts, atOnce.taken.parts);
      const loaded = loadSnapshot(cluster, taken);
      t.not(loaded, null);
      const resumed = new Chain(cluster, undefined, loaded);
      t.is(resumed.executor.height, height);
      const after = plan.slice(height).map(({ time, batches }) => resumed.next(batches, time));
      t.deepEqual(after.map(outcomeOf), outcomes.slice(height));
    }),
    { numRuns: 60 },
  );
});

/** Four checkpoints with rows, timers, clients, keys, and what is to be forgotten. */
function someSnapshot(): Taken {
  const planned = Array.from({ length: 4 * CHECKPOINT }, (_, at) => ({
    afterMs: 20_000,
    submissions: Array.from({ length: 4 }, (_, each): Planned => {
      const what = (['put', 'keyed', 'later', 'text'] as const)[each]!;
      const validForMs = (1 + (at % 5)) * MINUTE;
      return {
        client: (at + each) % clients.length,
        seq: at,
        validForMs,
        key: 4 * at + each,
        what,
      };
    }),
  }));
  return runTaking(planOf(planned), 3 * CHECKPOINT, 7).taken;
}

test('I138: of a snapshot with any byte changed nothing is loaded', (t) => {
  const { head, parts } = someSnapshot();
  t.true(parts.length > 10);
  const whole = Buffer.concat(parts);
  for (let at = 0; at < whole.length; at += 13) {
    const changed = Uint8Array.from(whole);
    changed[at]! ^= 1 << (at % 8);
    t.is(loadSnapshot(cluster, { head, parts: [changed] }), null, `byte ${at}`);
  }
});

test('I138: of a snapshot whose parts are missing, twice there or exchanged nothing is loaded', (t) => {
  const { head, parts } = someSnapshot();
  t.not(loadSnapshot(cluster, { head, parts }), null);
  t.is(loadSnapshot(cluster, { head, parts: [] }), null);
  for (let at = 0; at < parts.length; at++) {
    const [part, next] = [parts[at]!, parts[at + 1] ?? new Uint8Array(1)];
    t.is(loadSnapshot(cluster, { head, parts: parts.toSpliced(at, 1) }), null);
    t.is(loadSnapshot(cluster, { head, parts: parts.toSpliced(at, 1, part, part) }), null);
    t.is(loadSnapshot(cluster, { head, parts: parts.toSpliced(at, 2, next, part) }), null);
  }
});

test('I138: a snapshot of another checkpoint is not what its own certifies', (t) => {
  const { head, parts } = someSnapshot();
  const { executed } = head;
  const wrong = 'cd'.repeat(32) as typeof executed.stateRoot;
  for (const other of [
    { stateRoot: wrong },
    { receiptsRoot: wrong },
    { height: executed.height + CHECKPOINT },
    { height: executed.height - CHECKPOINT },
  ]) {
    t.is(
      loadSnapshot(cluster, { head: { ...head, executed: { ...executed, ...other } }, parts }),
      null,
    );
  }
});

test('I135: who starts in the middle of much that is forgotten forgets the rest in the same order', (t) => {
  const chain = new Chain(cluster);
  const count = 450;
  for (let at = 0; at < count; at++) {
    const key = ((at * 7) % count).toString(16).padStart(64, '0') as PublicKey;
    const place = { id: ZERO_DIGEST, height: 1, index: 0, txCount: 1 };
    const digests = { idBytes: new Uint8Array(32), receiptsDigest: new Uint8Array(32) };
    const validUntil = START_MS + (1 + (at % 2)) * MINUTE;
    chain.executor.state.windows.executed(key, { ...place, ...digests, seq: at, validUntil });
  }
  const time = START_MS + 20 * MINUTE;
  const plan = Array.from({ length: 3 * CHECKPOINT }, () => ({ time, batches: [] }));
  const { outcomes, taken } = runTaking(plan, CHECKPOINT, 3, chain);
  const resumed = new Chain(cluster, undefined, loadSnapshot(cluster, taken));
  t.is(resumed.executor.state.windows.size, 50);
  const after = plan.slice(CHECKPOINT).map((block) => resumed.next(block.batches, block.time));
  t.deepEqual(after.map(outcomeOf), outcomes.slice(CHECKPOINT));
});
