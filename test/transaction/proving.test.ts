/** What the transaction machine proves, and when. */
import test from 'ava';
import { encodeProof } from '../../protocols/proofs/format.ts';
import type { Proved, ProofWanted } from '../../protocols/proofs/request.ts';
import { verifyReceiptProof, verifyRowProof } from '../../protocols/proofs/verify.ts';
import type { Digest } from '../../protocols/types.ts';
import { finalBlock } from './fixture.ts';
import { proofOf, row, ROWS, trusted, World } from '../proofs/world.ts';
import { put } from './modules.ts';

const receiptsOf = (id: Digest): ProofWanted => ({ kind: 'submission', id });
const query = (args: string): ProofWanted => ({
  kind: 'query',
  module: 'scratch',
  query: 'get',
  args,
});

function shownRow(proved: Proved, key: string): unknown {
  const bytes = encodeProof(proofOf(proved.executed, proved.claims));
  const verified = verifyRowProof(trusted, bytes, { table: ROWS, key });
  return verified.ok ? verified.row : verified.code;
}

function shownReceipts(proved: Proved, id: Digest): string {
  const bytes = encodeProof(proofOf(proved.executed, proved.claims));
  const verified = verifyReceiptProof(trusted, bytes, id);
  return verified.ok ? verified.receipts.map(({ status }) => status).join() : verified.code;
}

test('I116: while a row differs from the checkpoint a proof waits for the next, and shows what is then', (t) => {
  const world = new World();
  world.put('a');
  t.is(world.ask(row('a')), undefined, 'before the first checkpoint');
  const request = world.lastRequest;
  world.checkpoint();
  const first = world.answerTo(request);
  t.is(first?.ok && (first.value as Proved).result.ok, true);
  world.run([put('a', 'new')]);
  t.is(world.ask(row('a')), undefined);
  t.is(world.ask(row('nobody')), undefined, 'nor of other rows');
  const second = world.lastRequest - 1;
  world.run([put('b', 1)]);
  world.checkpoint();
  const proved = world.answerTo(second);
  t.is(proved?.ok && shownRow(proved.value as Proved, 'a'), 'new');
  t.like(proved, { value: { executed: { height: 8 }, result: { value: 'new' } } });
});

test('I116: rows that change with every block are proved all the same', (t) => {
  const world = new World();
  for (let at = 0; at < 12; at++) {
    world.run([put('hot', at)]);
    if (at % 3 === 0) world.ask(row('hot'));
  }
  const answers = world.node.told.flatMap((each) =>
    each.kind === 'answer' && each.result.ok ? [each.result.value as Proved] : [],
  );
  t.deepEqual(
    answers.map((proved) => shownRow(proved, 'hot')),
    // The first waited; the second found the checkpoint just made.
    [3, 3, 7, 11],
  );
});

test('I116: one turn makes a bounded part, and the next go on; too many are told to come back', (t) => {
  const world = new World();
  world.run([put('large', 'x'.repeat(20_000))]);
  const asked = Array.from({ length: 1030 }, () => {
    world.ask(row('large'));
    return world.lastRequest;
  });
  const answered = () => world.node.told.filter((each) => each.kind === 'answer');
  t.is(answered().length, 6);
  t.like(world.answerTo(asked.at(-1)!), { ok: false, code: 'overloaded' });
  world.node.execute();
  world.node.execute();
  t.is(answered().length, 6);
  // The block with the checkpoint, and no timer after it.
  world.node.height++;
  const { block, digest } = finalBlock(4, []);
  world.node.step({ kind: 'execute', block, digest, batches: [], sealed: 0 });
  const first = answered().length - 6;
  t.true(first > 0 && first < 10, `${first}`);
  world.ask(row('large'));
  t.is(answered().length, asked.length + 1);
});

test('I116: a proof that waited for a checkpoint is made with it, however lately queries were answered', (t) => {
  const world = new World();
  world.run([put('a', 1)]);
  world.node.execute();
  world.node.execute();
  world.ask(row('a'));
  const { lastRequest } = world;
  world.node.step({ kind: 'query', request: 1, module: 'scratch', query: 'get', args: 'a' });
  t.true(world.node.timers.has('transaction/answer'));
  const { block, digest } = finalBlock(4, []);
  const said = world.node.step({ kind: 'execute', block, digest, batches: [], sealed: 0 });
  t.true(said.some((each) => each.kind === 'answer' && each.request === lastRequest));
});

test('a query is proved by the rows that it looked at, there or not', (t) => {
  const world = new World();
  world.put('a', 'b');
  world.checkpoint();
  const there = world.proved(query('a'));
  t.deepEqual(there.result, { ok: true, value: 1 });
  t.deepEqual(
    there.claims.map(({ kind }) => kind),
    ['row'],
  );
  t.is(shownRow(there, 'a'), 1);
  const gone = world.proved(query('c'));
  t.like(gone.result, { ok: false, code: 'row_not_found' });
  t.is(shownRow(gone, 'c'), undefined);
  for (const [wanted, code] of [
    [{ ...query('a'), query: 'fail' }, 'module_fault'],
    [{ ...query('a'), query: 'none' }, 'unknown_query'],
    [{ ...query('a'), module: 'none' }, 'unknown_module'],
    [{ ...query('a'), args: 7 }, 'invalid_args'],
    [{ ...row('a'), table: 'none' }, 'unknown_table'],
    [{ ...row('a'), table: 'constructor' }, 'unknown_table'],
    [row('k'.repeat(70_000)), 'no_such_key'],
    [row('\ud800'), 'no_such_key'],
  ] as const) {
    t.like(world.ask(wanted as ProofWanted), { ok: false, code }, code);
  }
  const unknown = world.ask({ ...row('a'), table: 'none' }) as { message?: string };
  t.regex(unknown.message ?? '', /^there is no table .*none; there are \w+/);
});

test('a row that is deleted is proved to be gone', (t) => {
  const world = new World();
  world.put('a', 'bb');
  world.checkpoint();
  world.run([{ module: 'scratch', command: 'remove', args: 'a' }]);
  world.checkpoint();
  t.is(shownRow(world.proved(row('a')), 'a'), undefined);
  t.is(shownRow(world.proved(row('bb')), 'bb'), 2);
});

test('I112, I115: receipts of any block are proved, also of old ones and after a restart', (t) => {
  const world = new World();
  const ids: Digest[] = [];
  const some = (from: number, count: number): void => {
    const calls = Array.from({ length: count }, (_, at) => [put(`${from}-${at}`, at)]);
    ids.push(...world.run(...calls));
  };
  some(0, 5);
  world.checkpoint();
  some(1, 1);
  while (world.node.height < 1100) world.node.execute();
  some(2, 3);
  while (world.node.height < 2300) world.node.execute();
  some(3, 2);
  t.is(world.ask(receiptsOf(ids.at(-1)!)), undefined, 'above the last checkpoint');
  const waiting = world.lastRequest;
  world.checkpoint();
  const late = world.answerTo(waiting);
  t.is(late?.ok && shownReceipts(late.value as Proved, ids.at(-1)!), 'ok');
  for (const id of ids) t.is(shownReceipts(world.proved(receiptsOf(id)), id), 'ok');
  t.is(world.node.events('receipt-roots').length, 2);
  const again = world.restarted(2000);
  t.like(again.ask(receiptsOf(ids[0]!)), { ok: false, code: 'catching_up' });
  again.replay();
  t.is(again.node.log.length, world.node.log.length);
  for (const id of ids) t.is(shownReceipts(again.proved(receiptsOf(id)), id), 'ok');
  t.like(world.ask(receiptsOf('0'.repeat(64) as Digest)), { ok: false, code: 'not_logged' });
});

test('receipts of a block of thousands of submissions are hashed over several turns', (t) => {
  const world = new World();
  const ids = world.run(...Array.from({ length: 2500 }, (_, at) => [put(`k${at}`, at)]));
  world.checkpoint();
  world.node.step({ kind: 'prove', request: 1, wanted: receiptsOf(ids[2400]!) });
  const isAnswered = () =>
    world.node.told.some((each) => each.kind === 'answer' && each.request === 1);
  let turns = 0;
  for (; !isAnswered(); turns++) world.node.fire('transaction/prove');
  t.is(turns, 2);
  t.is(shownReceipts(world.proved(receiptsOf(ids[2400]!)), ids[2400]!), 'ok');
});
