/** What ended is forgotten: in order, a part at a time. */
import test from 'ava';
import { Expiry } from '../../protocols/transaction/expiry.ts';
import { ZERO_DIGEST, type PublicKey } from '../../protocols/types.ts';
import { alice, Chain, finalBlock, signed, START_MS, vouched } from './fixture.ts';
import { put } from './modules.ts';

const MINUTE = 60_000;

interface Item {
  readonly key: string;
}

const names = (items: readonly (Item | undefined)[]): (string | undefined)[] =>
  items.map((item) => item?.key);

test('I135: gives what is due by minute, then by key, in whatever order it was added', (t) => {
  const expiry = new Expiry<Item>();
  const added: readonly (readonly [number, string])[] = [
    [7, 'c'],
    [5, 'b'],
    [5, 'a'],
    [9, 'd'],
    [7, 'a'],
  ];
  const items = added.map(([, key]) => ({ key }));
  added.forEach(([minute], at) => expiry.add(minute, items[at]!));
  const due = (time: number): readonly (Item | undefined)[] =>
    [1, 2, 3, 4, 5].map(() => {
      const next = expiry.next(time);
      const minute = added[items.indexOf(next!)]?.[0];
      if (minute !== undefined) expiry.remove(minute, next!);
      return next;
    });
  t.is(expiry.next(6 * MINUTE - 1), undefined);
  t.is(expiry.next(6 * MINUTE), items[2]);
  expiry.remove(7, items[4]!);
  t.deepEqual(names(due(8 * MINUTE)), ['a', 'b', 'c', undefined, undefined]);
  t.is(expiry.next(9 * MINUTE), undefined);
  t.deepEqual(names(due(99 * MINUTE)), ['d', undefined, undefined, undefined, undefined]);
});

test('I102: hundreds of thousands that end in one minute are taken one by one', (t) => {
  const expiry = new Expiry<Item>();
  const count = 300_000;
  const items = Array.from({ length: count }, (_, at) => ({ key: String(1e6 + at) }));
  for (let at = 0; at < count; at++) expiry.add(1, items[(at * 7919) % count]!);
  for (const item of items) {
    if (expiry.next(2 * MINUTE) !== item) t.fail();
    expiry.remove(1, item);
  }
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
