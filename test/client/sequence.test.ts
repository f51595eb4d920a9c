/** Which seqs a client takes, and what it does where others have taken them. */
import test from 'ava';
import { submissionId } from '../../protocols/transaction/submission.ts';
import { WINDOW } from '../../protocols/transaction/windows.ts';
import { AlthingError, OutcomeUnknown } from '../../src/client/errors.ts';
import { Sequence } from '../../src/client/sequence.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { addressed, isWrite, known, problem, type Behaviour } from './cluster.ts';

const set = (value: number) => ({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key: 'a', value },
});
const idOf = (bytes: Uint8Array): string =>
  submissionId(nodeCrypto, bytes.subarray(0, bytes.length - 64));

test('a seq is the clock, or one more than the last', (t) => {
  let now = 1_000_000;
  const sequence = new Sequence(undefined, () => now);
  t.deepEqual([sequence.next(), sequence.next()], [1_000_000, 1_000_001]);
  now += 500;
  t.is(sequence.next(), 1_000_500);
  now -= 10_000;
  t.is(sequence.next(), 1_000_501);
});

test('processes that take turns stay within the window of each other', (t) => {
  let now = 1_000_000;
  const [one, other] = [0, 1].map(() => new Sequence(undefined, () => now));
  let last = 0;
  for (let turn = 0; turn < 100; turn++, now += 1_000) {
    for (let sent = 0; sent < 50; sent++) one!.next();
    last = one!.next();
    t.true(last - other!.next() < WINDOW);
  }
  t.true(new Sequence(undefined, () => now).next() > last, 'and so does one that is started later');
});

test('what has no outcome yet stays within the window, however late it is', (t) => {
  let now = 1_000_000;
  const sequence = new Sequence(undefined, () => now);
  const first = sequence.next();
  sequence.open(first);
  now += 60_000;
  t.is(sequence.next() - first, WINDOW - 1);
  sequence.close(first);
  t.is(sequence.next(), now);
});

test('who is too far behind gets ahead of anybody', (t) => {
  const now = 1_000_000;
  const sequence = new Sequence(undefined, () => now);
  const tried = [1, 2, 3, 4].map((tries) => sequence.nextAfter(tries) - now);
  t.deepEqual(tried, [0, WINDOW, 4 * WINDOW, 16 * WINDOW]);
  t.true(Number.isSafeInteger(sequence.nextAfter(23)));
});

test('a client that counts by itself gets its own seqs', (t) => {
  const sequence = new Sequence(7);
  t.deepEqual([sequence.next(), sequence.next()], [7, 8]);
});

for (const trust of ['node', 'proof'] as const) {
  test(`X10: where others of its key are ahead, a client signs anew, by ${trust}`, async (t) => {
    const { connect, port } = await addressed(t, [null, null]);
    const ahead = await connect({ ...known(port), firstSeq: Date.now() * 1_000 });
    await ahead.submit([set(1)], { trust });
    const client = await connect(known(port));
    const ids: string[] = [];
    const signed = (bytes: Uint8Array): void => void ids.push(idOf(bytes));
    const { id, receipts } = await client.submit([set(2)], { trust, signed });
    t.like(receipts[0]!.result, { version: 2 });
    t.is(ids.at(-1), id);
    t.is(new Set(ids).size, ids.length);
    t.true(ids.length > 1);
    const again = await client.submit([set(3)], { trust });
    t.like(again.receipts[0]!.result, { version: 3 });
  });
}

test('X10: two clients of one key that submit at the same time have all of theirs executed', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const clients = await Promise.all([connect(known(port)), connect(known(port))]);
  const sent = Array.from({ length: 40 }, (_, at) =>
    clients[at % 2]!.submit([set(at)], { trust: 'node' }),
  );
  const versions = (await Promise.all(sent)).map(
    ({ receipts }) => (receipts[0]!.result as { version: number }).version,
  );
  t.deepEqual(
    versions.toSorted((a, b) => a - b),
    Array.from({ length: 40 }, (_, at) => at + 1),
  );
});

/** It hides what it executes behind a refusal. */
const hiding =
  (seen: Set<string>): Behaviour =>
  async (path, ask, { id }) => {
    if (!isWrite(path)) return ask();
    seen.add(id);
    await ask();
    return problem(409, 'seq_too_old');
  };

test('X10: fewer than f + 1 nodes do not have a client sign anew', async (t) => {
  const seen = new Set<string>();
  const { connect, port } = await addressed(t, [hiding(seen)]);
  const client = await connect(known(port));
  const error = await t.throwsAsync(client.submit([set(1)]), { instanceOf: AlthingError });
  t.is(error.code, 'seq_too_old');
  t.is(seen.size, 1);
  const counting = await connect({ ...known(port), firstSeq: 5 });
  await t.throwsAsync(counting.submit([set(1)], { trust: 'node' }), { code: 'seq_too_old' });
  t.is(seen.size, 2, 'nor is anything signed anew for who counts');
});

test('X10: what never executes is known of f + 1 nodes, or of one that is believed', async (t) => {
  const { connect, port } = await addressed(t, [null, null]);
  const [one = ''] = (await connect(known(port))).nodes.urls;
  const alone = await connect({ ...known(port), urls: [one] });
  const both = await connect(known(port));
  for (const code of ['seq_too_old', 'seq_reused', 'expired']) {
    const error = new AlthingError(code, 'gone', 409);
    t.false(alone.neverExecutes(error), code);
    t.true(alone.neverExecutes(error, { trust: 'node' }), code);
    t.true(both.neverExecutes(error), code);
  }
  for (const error of [
    new AlthingError('lane_full', 'later', 503),
    new OutcomeUnknown('id', new Uint8Array(0), 'silence'),
    new Error('seq_too_old'),
  ]) {
    t.false(both.neverExecutes(error), error.message);
  }
});

test('X10: one node of several that hides what it executes does not have it executed again', async (t) => {
  const seen = new Set<string>();
  const { connect, port } = await addressed(t, [hiding(seen), null, null, null]);
  const { receipts } = await (await connect(known(port))).submit([set(1)]);
  t.like(receipts[0]!.result, { version: 1 });
  t.is(seen.size, 1);
});
