/** What ended is forgotten: in order, a part at a time. */
import test from 'ava';
import { Expiry } from '../../protocols/transaction/expiry.ts';
import { ZERO_DIGEST, type PublicKey } from '../../protocols/types.ts';
import { alice, Chain, finalBlock, signed, START_MS, vouched } from './fixture.ts';
import { put } from './modules.ts';

const MINUTE = 60_000;

test('gives what is due by minute, then in the order of adding', (t) => {
  const expiry = new Expiry<string>();
  for (const [minute, item] of [
    [7, 'c'],
    [5, 'a'],
    [5, 'b'],
    [9, 'd'],
    [5, 'a'],
    [7, 'a'],
  ] as const) {
    expiry.add(minute, item);
  }
  t.is(expiry.next(6 * MINUTE - 1), undefined);
  t.is(expiry.next(6 * MINUTE), 'a');
  expiry.add(6, 'e');
  const due = (minute: number) => [1, 2, 3, 4, 5].map(() => expiry.next(minute * MINUTE));
  t.deepEqual(due(8), ['b', 'e', 'c', 'a', undefined]);
  t.deepEqual(due(10), ['d', undefined, undefined, undefined, undefined]);
  t.is(expiry.next(99 * MINUTE), undefined);
});

test('I102: hundreds of thousands that end in one minute are taken one by one', (t) => {
  const expiry = new Expiry<number>();
  const count = 300_000;
  for (let item = 0; item < count; item++) expiry.add(1, item);
  for (let item = 0; item < count; item++) if (expiry.next(2 * MINUTE) !== item) t.fail();
  t.is(expiry.next(2 * MINUTE), undefined);
});

/** A chain whose state remembers 1000 clients and as many keys, all of which end in one minute. */
function muchEndsAtOnce(): Chain {
  const chain = new Chain();
  const validUntil = START_MS + MINUTE;
  const keys = Array.from({ length: 1000 }, (_, at) =>
    vouched(`\0${at}`, [put('k', at)], { validUntil }),
  );
  chain.run(...keys);
  for (let at = 0; at < 1000; at++) {
    const key = at.toString(16).padStart(64, '0') as PublicKey;
    const place = { id: ZERO_DIGEST, height: 1, index: 0, txCount: 1 };
    const digests = { idBytes: new Uint8Array(32), receiptsDigest: new Uint8Array(32) };
    chain.executor.state.windows.executed(key, { ...place, ...digests, seq: 0, validUntil });
  }
  return chain;
}

test('I102: however much ends at once, a block forgets a bounded number of it, and the rest later', (t) => {
  const chain = muchEndsAtOnce();
  const { windows, keys } = chain.executor.state;
  chain.root();
  t.deepEqual([windows.size, keys.size], [1000, 1000]);
  const late = START_MS + 3 * MINUTE;
  const remembered = (...submissions: Uint8Array[]): number => {
    chain.next([[0, submissions]], late);
    chain.root();
    return windows.size;
  };
  t.is(remembered(), 900);
  t.is(keys.size, 0);
  const still = Array.from({ length: 50 }, (_, seq) =>
    signed(seq, [put('k', seq)], { validUntil: late + MINUTE }),
  );
  t.is(remembered(...still), 701);
  t.deepEqual([remembered(), remembered()], [601, 501]);
  while (remembered() > 1);
  t.is(windows.standing(alice.publicKey, 0, new Uint8Array(32)).kind, 'refused');
});

test('I102: what is forgotten counts against the budget of a step, and the state is the same', (t) => {
  const whole = muchEndsAtOnce();
  const sliced = muchEndsAtOnce();
  const late = START_MS + 3 * MINUTE;
  const submissions = [signed(0, [put('a', 1)], { validUntil: late })];
  for (let height = 2; height < 15; height++) {
    whole.next([[0, submissions]], late);
    const budget = { left: 100 };
    sliced.executor.begin(finalBlock(height, [[0, submissions]], late), budget);
    if (height === 2) t.true(budget.left < 0);
    while (sliced.executor.advance({ left: 1 }) === null);
    t.is(sliced.root(), whole.root());
  }
});
