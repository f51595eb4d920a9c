import test from 'ava';
import type { Call } from '../../protocols/transaction/submission.ts';
import {
  asset,
  attesters,
  call,
  codeOf,
  Crossing,
  eventsOf,
  HOUR,
  ledger,
  name,
  thief,
  user,
} from './crossing.ts';

test('J1, J4: what enough attesters accept in time goes out', (t) => {
  const c = new Crossing();
  const out = c.lock(100);
  t.is(out, 'out-000000000001');
  t.deepEqual(c.balances(), [400, 100, 1000, 500]);
  t.like(c.supply(), { locked: '100', out: '0', in: '0' });
  for (const at of [0, 1]) t.deepEqual(eventsOf(c.accept(out, at)), ['attested']);
  t.is(c.view(out).status, 'open');
  const last = c.accept(out, 2);
  t.deepEqual(last.result as unknown, {
    transfer: out,
    counted: true,
    status: 'released',
    attestations: 3,
  });
  t.deepEqual(eventsOf(last), ['attested', 'released']);
  t.deepEqual(c.balances(), [400, 0, 1100, 500]);
  t.like(c.supply(), { locked: '0', out: '100', in: '0' });
});

test('J1: what is not attested in time is refunded, and no attestation comes later', (t) => {
  const c = new Crossing();
  const deadline = c.soon;
  const out = c.lock(100, deadline);
  for (const at of [0, 1]) c.accept(out, at);
  c.world.at(deadline - 1);
  t.is(c.view(out).status, 'open');
  const [refunded] = c.world.at(deadline);
  t.deepEqual(eventsOf(refunded!), ['refunded']);
  t.is(c.view(out).status, 'refunded');
  t.deepEqual(c.balances(), [500, 0, 1000, 500]);
  t.is(codeOf(c.accept(out, 2)), 'transfer_ended');
  t.deepEqual(c.balances(), [500, 0, 1000, 500]);
});

test('J1: in the block of the deadline it is too late, also while other timers run first', (t) => {
  const c = new Crossing();
  const deadline = c.soon;
  const locks = Array.from({ length: 250 }, () =>
    call('lock', { asset, amount: 1, to: '0xabc', deadline }),
  );
  for (let at = 0; at < 17; at++)
    c.world.run([ledger('issue', { account: c.deposit, amount: 250 })]);
  for (let at = 0; at < 17; at++) c.world.run(locks, user);
  const last = 'out-000000004250';
  for (const at of [0, 1]) c.accept(last, at);
  c.world.at(deadline - 1);
  t.is(codeOf(c.accept(last, 2)), 'too_late');
  t.is(c.view(last).status, 'open');
  // Whoever asks gets what is due.
  t.deepEqual(c.world.run([call('settle', { transfer: last })], thief), ['ok']);
  t.is(c.view(last).status, 'refunded');
  c.world.at(deadline + 10);
  t.deepEqual(c.supply().locked, '0');
});

test('J1: nobody settles before it is due', (t) => {
  const c = new Crossing();
  const out = c.lock(100);
  c.accept(out, 0);
  t.deepEqual(c.world.run([call('settle', { transfer: out })]), ['not_attested']);
  t.is(c.view(out).status, 'open');
});

test('J1: what enough attesters say was locked outside comes in, once', (t) => {
  const c = new Crossing();
  const said = { amount: 70, deadline: c.soon };
  t.deepEqual(eventsOf(c.arrive('tx-1', 0, said)), ['attested']);
  t.is(codeOf(c.arrive('tx-1', 0, said)), 'already_attested');
  c.arrive('tx-1', 1, said);
  t.deepEqual(c.balances(), [500, 0, 1000, 500]);
  const last = c.arrive('tx-1', 2, said);
  t.deepEqual(eventsOf(last), ['attested', 'released']);
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
  t.like(c.supply(), { locked: '0', out: '0', in: '70' });
  t.is(codeOf(c.arrive('tx-1', 2, said)), 'already_attested');
  t.is(codeOf(c.arrive('tx-1', 3, said)), 'transfer_ended');
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
});

test('J1: what came in too late is refunded, and the outside id is of no use any more', (t) => {
  const c = new Crossing();
  const said = { amount: 70, deadline: c.soon };
  for (const at of [0, 1]) c.arrive('tx-1', at, said);
  c.world.at(said.deadline);
  t.is(codeOf(c.arrive('tx-1', 2, said)), 'too_late');
  const { transfers } = c.world.ask('bridge', 'arrivals', { asset, outsideId: 'tx-1' }) as {
    transfers: { status: string }[];
  };
  t.deepEqual(
    transfers.map(({ status }) => status),
    ['refunded'],
  );
  t.deepEqual(c.balances(), [500, 0, 1000, 500]);
});

test('J2: fewer liars than it takes release nothing, and delay nothing', (t) => {
  const c = new Crossing();
  const said = { amount: 70, deadline: c.soon };
  for (const at of [3, 4]) c.arrive('tx-1', at, { ...said, amount: 900 });
  for (const at of [3, 4]) c.arrive('tx-2', at, { ...said, to: 'thief' });
  for (const at of [3, 4]) c.arrive('tx-1', at, { ...said, deadline: c.world.time + 2 });
  c.world.at(c.world.time + 10);
  for (const at of [0, 1, 2]) c.arrive('tx-1', at, said);
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
  c.world.at(said.deadline + 1);
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
});

test('J2: an attester that says two things of one outside id leaves evidence, once', (t) => {
  const c = new Crossing();
  const said = { amount: 70, deadline: c.soon };
  c.arrive('tx-1', 0, said);
  const height = c.world.height;
  const second = c.arrive('tx-1', 0, { ...said, amount: 71 });
  t.like(second.result as object, { counted: false, attestations: 1 });
  t.deepEqual(eventsOf(second), ['conflicting']);
  const content = { asset, to: 'user', deadline: said.deadline };
  t.deepEqual(c.evidence() as unknown, [
    {
      attester: name(attesters[0]!),
      about: `${asset}/tx-1`,
      first: { ...content, amount: '70' },
      firstHeight: height,
      second: { ...content, amount: '71' },
      secondHeight: height + 1,
    },
  ]);
  t.is(codeOf(c.arrive('tx-1', 0, { ...said, amount: 72 })), 'already_attested');
  // What it said first counts on.
  for (const at of [1, 2]) c.arrive('tx-1', at, said);
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
});

test('J2: who says something else of a lock than it is does not count, and leaves evidence', (t) => {
  const c = new Crossing();
  const out = c.lock(100);
  for (const more of [{ amount: 99 }, { to: '0xdef' }, { deadline: c.soon + 1 }]) {
    const at = ['amount', 'to', 'deadline'].indexOf(Object.keys(more)[0]!);
    t.like(c.accept(out, at, more).result as object, { counted: false, attestations: 0 });
    t.is(codeOf(c.accept(out, at, more)), 'already_attested');
  }
  t.is(c.evidence().length, 3);
  t.is(c.view(out).status, 'open');
  t.is(codeOf(c.accept(out, 3)), 'ok');
  t.is(codeOf(c.accept(out, 3)), 'already_attested');
  t.is(c.view(out).attesters.length, 1);
});

test('J3: more liars than there may be release no second content of one outside id', (t) => {
  const c = new Crossing({ required: 2 });
  const said = { amount: 70, deadline: c.soon };
  for (const at of [0, 1]) c.arrive('tx-1', at, said);
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
  for (const at of [2, 3]) {
    t.like(c.arrive('tx-1', at, { ...said, amount: 71 }).result as object, { status: 'open' });
  }
  t.deepEqual(c.balances(), [500, 0, 930, 570]);
  const { transfers } = c.world.ask('bridge', 'transfers', { status: 'open' }) as {
    transfers: { transfer: string }[];
  };
  const settle = call('settle', { transfer: transfers[0]!.transfer });
  t.deepEqual(c.world.run([settle]), ['outside_id_released']);
});

test('J1: what the ledger refuses stays open, and is released when it can be', (t) => {
  const c = new Crossing();
  const said = { to: 'later', amount: 70, deadline: c.soon };
  for (const at of [0, 1, 2]) c.arrive('tx-1', at, said);
  const { transfers } = c.world.ask('bridge', 'transfers', { status: 'open' }) as {
    transfers: { transfer: string }[];
  };
  const settle = call('settle', { transfer: transfers[0]!.transfer });
  t.deepEqual(c.world.run([settle]), ['credit_account_not_found']);
  c.world.run([ledger('open', { account: 'later', asset })]);
  t.deepEqual(c.world.run([settle]), ['ok']);
  t.is(c.balance('later'), 70);
  t.deepEqual(c.world.run([settle]), ['transfer_ended']);
});

test('J4: only its sender takes from an account with the bridge, and only what is there', (t) => {
  const c = new Crossing();
  const take = (amount: number) => call('withdraw', { asset, to: 'user', amount });
  t.deepEqual(c.world.run([take(1)], thief), ['not_enrolled']);
  c.enroll(thief);
  t.deepEqual(c.world.run([take(1)], thief), ['exceeds_credits']);
  t.throws(() => c.lock(1, c.soon, thief), { message: 'exceeds_credits' });
  t.throws(() => c.lock(501), { message: 'exceeds_credits' });
  const direct = ledger('transfer', { from: c.deposit, to: 'user', amount: 1 });
  t.deepEqual(c.world.run([direct], user), ['not_owner']);
  t.deepEqual(c.world.run([take(500)], user), ['ok']);
  t.deepEqual(c.balances(), [0, 0, 1000, 1000]);
});

test('J4: an account has the name that nobody could know, and one sender has one', (t) => {
  const c = new Crossing();
  t.is(c.enroll(user), c.deposit);
  t.like(c.world.ask('bridge', 'account', { asset, owner: name(user) }) as object, {
    account: c.deposit,
  });
  // The same block but for its height would give the same sender another one.
  const later = new Crossing();
  later.world.at(later.world.time + 1);
  t.not(later.enroll(thief), c.enroll(thief));
  t.regex(c.deposit, /^bridge-[0-9a-f]{40}$/);
  t.like(c.world.ask('ledger', 'account', { account: c.deposit }) as object, {
    owner: 'module:bridge',
  });
});

test('J5: what has ended is kept until nothing said of it is in time, and goes then', (t) => {
  const c = new Crossing({ keepMs: 7 * 24 * HOUR });
  const said = { amount: 70, deadline: c.soon };
  for (const at of [0, 1, 2]) c.arrive('tx-1', at, said);
  const out = c.lock(10);
  for (const at of [0, 1, 2]) c.accept(out, at);
  c.world.at(c.world.time + 7 * 24 * HOUR + 10);
  const next = c.lock(10);
  t.is(c.view(out).status, 'released');
  for (const at of [0, 1, 2]) c.accept(next, at);
  t.is(c.view(out) as unknown, 'transfer_not_found');
  const arrivals = { asset, outsideId: 'tx-1' };
  t.like(c.world.ask('bridge', 'arrivals', arrivals) as object, { transfers: [], next: null });
  t.is(codeOf(c.arrive('tx-1', 0, said)), 'too_late');
  for (const table of ['attestations', 'arrived']) {
    const { rows } = c.world.chain.executor.state.tablesOf('bridge')[table]!.page({ limit: 1 });
    t.deepEqual(rows, [], table);
  }
  t.is(c.lock(1), 'out-000000000003');
});

test('J5: who has too few steps to let go of what has ended leaves it to the next', (t) => {
  const settings = { keepMs: 7 * 24 * HOUR };
  const kept = (stepsMax: number): unknown => {
    const c = new Crossing(settings, { stepsMax });
    const said = { amount: 70, deadline: c.soon };
    for (const from of ['tx-1', 'tx-2']) {
      for (const at of [0, 1, 2]) t.is(codeOf(c.arrive(from, at, said)), 'ok');
    }
    c.world.at(c.world.time + 7 * 24 * HOUR + 10);
    const out = c.lock(10);
    for (const at of [0, 1, 2]) t.is(codeOf(c.accept(out, at)), 'ok');
    const { rows } = c.world.chain.executor.state.tablesOf('bridge')['arrived']!.page({ limit: 9 });
    return rows.length;
  };
  t.is(kept(2 * 3 * 512 - 1), 1);
  t.is(kept(2 * 3 * 512), 0);
});

const deadline = 1_700_000_000_000 + HOUR;
const good = { asset, to: 'x', amount: 1, deadline };
const refused: readonly (readonly [string, Call, string])[] = [
  ['a lock of nothing', call('lock', { ...good, amount: 0 }), 'invalid_args'],
  ['a lock of less than nothing', call('lock', { ...good, amount: -1 }), 'invalid_args'],
  ['a lock of an unknown asset', call('lock', { ...good, asset: 'iron' }), 'asset_not_bridged'],
  ['a lock to nowhere', call('lock', { ...good, to: '' }), 'invalid_args'],
  ['a lock until yesterday', call('lock', { ...good, deadline: 1 }), 'too_late'],
  ['a lock for ever', call('lock', { ...good, deadline: 2 ** 52 }), 'deadline_out_of_range'],
  ['a lock of what is not there', call('lock', { ...good, amount: 2n ** 62n }), 'exceeds_credits'],
  ['an attestation of no attester', call('attestIn', { outsideId: 'a', ...good }), 'not_attester'],
  [
    'an attestation of no attester for a lock',
    call('attestOut', { transfer: 'out-000000000001', ...good }),
    'not_attester',
  ],
  ['to settle nothing', call('settle', { transfer: 'out-000000000099' }), 'transfer_not_found'],
  ['an id that the bridge does not give', call('settle', { transfer: '1' }), 'invalid_args'],
  ['to enroll for an unknown asset', call('enroll', { asset: 'iron' }), 'asset_not_bridged'],
];

for (const [what, each, code] of refused) {
  test(`refuses ${what} with ${code}`, (t) => {
    const c = new Crossing();
    const before = c.balances();
    t.deepEqual(c.world.run([each], user), [code]);
    t.deepEqual(c.balances(), before);
  });
}

const misfits: readonly (readonly [string, Record<string, unknown>, string])[] = [
  ['an unknown lock', { transfer: 'out-000000000099' }, 'transfer_not_found'],
  ['another asset', { asset: 'iron' }, 'ok'],
];
for (const [what, more, code] of misfits) {
  test(`an attester that speaks of ${what} gets ${code}, and nothing counts`, (t) => {
    const c = new Crossing();
    const out = c.lock(5);
    t.is(codeOf(c.accept(out, 0, more as never)), code);
    t.is(c.view(out).attesters.length, 0);
  });
}

test('an attester that invents transfers is stopped, and may go on when they have ended', (t) => {
  const c = new Crossing();
  const said = { asset, to: 'user', amount: 1, deadline: c.soon };
  const invent = (first: number): string[] =>
    c.world.run(
      Array.from({ length: 1000 }, (_, at) =>
        call('attestIn', { outsideId: `i-${first + at}`, ...said }),
      ),
      attesters[0]!,
    );
  for (let at = 0; at < 10; at++) t.true(invent(at * 1000).every((code) => code === 'ok'));
  t.deepEqual([...new Set(invent(10_000))], ['too_many_open']);
  // Others are not held up by it.
  for (const at of [1, 2, 3]) t.is(codeOf(c.arrive('tx-1', at, said)), 'ok');
  t.is(c.balance('user'), 501);
  for (let at = 0; at < 6; at++) c.world.at(said.deadline + at);
  t.is(codeOf(c.arrive('more', 0, { ...said, deadline: c.soon })), 'ok');
});
