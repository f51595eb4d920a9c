import test from 'ava';
import fc from 'fast-check';
import {
  RECENT_RECEIPTS_MAX,
  REQUESTS_PER_SUBMISSION_MAX,
  WAITING_REQUESTS_MAX,
} from '../../protocols/transaction/ingress-limits.ts';
import { decodeReceipts } from '../../protocols/transaction/receipts.ts';
import { clusterOf, payloadOf, signed, START_MS, vouched } from './fixture.ts';
import { put } from './modules.ts';
import { Node, sub } from './node.ts';

const MINUTE = 60_000;

test('a submission is sealed at once, executed, and answered with its receipts', (t) => {
  const node = new Node();
  node.submit(7, sub(0));
  t.is(node.sealed.length, 1);
  t.is(node.machine.status().waiting, 1);
  node.settle();
  const [result] = node.results;
  t.is(result?.request, 7);
  const receipts = result?.ok === true ? result.receipts : null;
  t.is(receipts === null ? '' : decodeReceipts(receipts)?.[0]?.status, 'ok');
  t.is(node.machine.status().waiting, 0);
  t.is(node.machine.status().executedTransactions, 1);
});

test('I58: every request is answered once, whatever is submitted in whatever order', (t) => {
  const offered = fc.array(
    fc.record({
      seq: fc.nat(6),
      value: fc.nat(1),
      own: fc.boolean(),
      broken: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      settles: fc.boolean(),
      admission: fc.boolean(),
      shortLived: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(offered, (requests) => {
      const node = new Node();
      for (const [
        request,
        { seq, value, own, broken, settles, admission, shortLived },
      ] of requests.entries()) {
        const validUntil = shortLived ? START_MS + 100 : START_MS + MINUTE;
        const bytes = own
          ? vouched(`key-${seq}`, [put('a', value)], { validUntil })
          : signed(seq, [put('a', value)], { validUntil });
        if (broken) bytes[bytes.length - 1]! ^= 1;
        if (admission) node.admit(request, bytes);
        else node.submit(request, bytes);
        if (settles) node.settle();
      }
      while (node.sealed.length > 0) node.settle();
      // What could not execute any more is answered when block time has passed it.
      node.execute([], START_MS + 2 * MINUTE);
      t.deepEqual(
        node.results.map(({ request }) => request).toSorted((a, b) => a - b),
        requests.map((_, request) => request),
      );
      t.is(node.machine.status().waitingBytes, 0);
    }),
    { numRuns: 100 },
  );
});

test('I58: who asks while a submission is under way, and who asks later, gets the same receipts', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  node.submit(2, sub(0));
  t.is(node.sealed.length, 1);
  node.settle();
  node.submit(3, sub(0));
  const receipts = node.results.map((each) => (each.ok ? each.receipts : null));
  t.is(receipts.length, 3);
  t.deepEqual(receipts[0], receipts[1]);
  t.deepEqual(receipts[0], receipts[2]);
});

test('I58: who waits for no more than admission hears of it once, before anything is final', (t) => {
  const node = new Node();
  node.admit(1, sub(0));
  node.admit(2, sub(0));
  t.deepEqual(node.codes(), { 1: 'admitted', 2: 'admitted' });
  t.is(node.sealed.length, 1);
  node.submit(3, sub(0));
  node.settle();
  t.is(node.results.length, 3);
  t.is(node.codes()[3], 'ok');
  t.is(node.machine.status().waitingBytes, 0);
});

test('a submission that came through another lane first is answered from there', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  node.execute([{ lane: 2, payload: payloadOf([sub(0)]) }]);
  t.deepEqual(node.codes(), { 1: 'ok' });
  node.settle();
  t.is(node.results.length, 1);
});

test('a copy with another signature does not pass for the one that was checked', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  const forged = sub(0);
  forged[forged.length - 1]! ^= 1;
  node.execute([{ lane: 3, payload: payloadOf([forged]) }]);
  t.is(node.results.length, 0);
  node.settle();
  t.deepEqual(node.codes(), { 1: 'ok' });
});

const refused: readonly (readonly [string, string, () => Uint8Array])[] = [
  ['bytes that are no submission', 'malformed', () => Uint8Array.of(1, 2)],
  ['a signature that is not valid', 'bad_signature', () => sub(0).fill(0, -10)],
  [
    'what ended before block time',
    'expired',
    () => signed(0, [put('a', 1)], { validUntil: START_MS }),
  ],
  [
    'what ends too far ahead',
    'valid_until_too_far',
    () => signed(0, [put('a', 1)], { validUntil: START_MS + 100 * 3_600_000 }),
  ],
  ['what names another node', 'wrong_node', () => vouched('k', [put('a', 1)], { lane: 1 })],
  ['another content under an executed seq', 'seq_reused', () => sub(9, 1)],
  [
    'another content under an executed idempotency key',
    'idempotency_key_reused',
    () => vouched('used', [put('a', 2)]),
  ],
];

for (const [what, code, make] of refused) {
  test(`refuses ${what} with ${code}, and seals nothing`, (t) => {
    const node = new Node();
    node.submit(1, sub(9));
    node.submit(2, vouched('used', [put('a', 1)]));
    node.settle();
    node.submit(3, make());
    t.is(node.codes()[3], code);
    node.admit(4, make());
    t.is(node.codes()[4], code);
    t.is(node.sealed.length, 0);
  });
}

test('two requests under one idempotency key: the second waits its turn, or is refused', (t) => {
  const node = new Node();
  node.submit(1, vouched('k', [put('a', 1)]));
  node.submit(2, vouched('k', [put('a', 1)], { validUntil: START_MS + MINUTE }));
  node.submit(3, vouched('k', [put('a', 2)]));
  t.deepEqual(node.codes(), { 2: 'in_progress', 3: 'idempotency_key_reused' });
  node.settle();
  node.submit(4, vouched('k', [put('a', 1)], { validUntil: START_MS + MINUTE }));
  t.is(node.codes()[4], 'ok');
});

test('an unsettled refusal goes into the chain, which refuses it for good', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  node.settle();
  node.submit(2, signed(0, [put('a', 9)], { validUntil: START_MS + 60 * MINUTE }));
  t.is(node.sealed.length, 1);
  node.settle();
  t.is(node.codes()[2], 'seq_reused');
  node.submit(3, signed(0, [put('a', 9)], { validUntil: START_MS + 60 * MINUTE }));
  t.is(node.sealed.length, 0);
  t.is(node.codes()[3], 'seq_reused');
});

test('says expired only when a final block has passed validUntil', (t) => {
  const node = new Node();
  node.now = START_MS + 10 * MINUTE;
  node.submit(1, signed(0, [put('a', 1)], { validUntil: START_MS + MINUTE }));
  node.sealed.length = 0;
  t.is(node.results.length, 0);
  node.execute([], START_MS + MINUTE - 1);
  t.is(node.results.length, 0);
  node.execute([], START_MS + MINUTE);
  t.deepEqual(node.codes(), { 1: 'expired' });
});

test('each submission expires in its own time, and its idempotency key is free again', (t) => {
  const node = new Node();
  const bytes = (minutes: number) =>
    vouched(`key-${minutes}`, [put('a', minutes)], { validUntil: START_MS + minutes * MINUTE });
  node.submit(1, bytes(1));
  node.submit(2, bytes(2));
  node.submit(3, bytes(3));
  node.sealed.length = 0;
  for (const [minutes, answered] of [1, 2, 3].entries()) {
    node.execute([], START_MS + (minutes + 1) * MINUTE);
    t.is(Object.keys(node.codes()).length, answered);
  }
  t.deepEqual(node.codes(), { 1: 'expired', 2: 'expired', 3: 'expired' });
  node.now = START_MS + 4 * MINUTE;
  const again = vouched('key-1', [put('a', 5)], { validUntil: START_MS + 9 * MINUTE });
  node.submit(4, again);
  t.is(node.codes()[4], undefined);
  node.execute([{ lane: 0, payload: payloadOf([again]) }], node.now);
  t.is(node.codes()[4], 'ok');
});

test('I125: what another node executes under the same idempotency key is the answer here, too', (t) => {
  const node = new Node();
  const there = vouched('k', [put('a', 1)], { lane: 1, validUntil: START_MS + 2 * MINUTE });
  node.submit(1, vouched('k', [put('a', 1)]));
  node.execute([{ lane: 1, payload: payloadOf([there]) }]);
  t.deepEqual(node.codes(), {});
  node.settle();
  t.deepEqual(node.codes(), { 1: 'ok' });
});

test('I59: so many requests wait for one submission, and so many for all', (t) => {
  const node = new Node();
  for (let at = 0; at <= REQUESTS_PER_SUBMISSION_MAX; at++) node.submit(at, sub(0));
  t.deepEqual(node.codes(), { [REQUESTS_PER_SUBMISSION_MAX]: 'overloaded' });
  node.settle();
  t.is(Object.values(node.codes()).filter((code) => code === 'ok').length, 64);

  const full = new Node();
  const each = REQUESTS_PER_SUBMISSION_MAX - 1;
  const bytes = Array.from({ length: Math.ceil(WAITING_REQUESTS_MAX / each) }, (_, at) => sub(at));
  for (const one of bytes) full.admit(-1, one);
  for (let at = 0; at < WAITING_REQUESTS_MAX; at++) full.submit(at, bytes[Math.floor(at / each)]!);
  t.deepEqual(full.codes(), { '-1': 'admitted' });
  full.submit(WAITING_REQUESTS_MAX, bytes.at(-1)!);
  t.is(full.codes()[WAITING_REQUESTS_MAX], 'overloaded');
});

test('I58: what ends too far ahead of its block is answered from the own lane only', (t) => {
  const node = new Node(clusterOf({ validityMsMax: 60 * MINUTE, clockDriftMsMax: 5000 }));
  node.now = START_MS + MINUTE;
  const bytes = signed(0, [put('a', 1)], { validUntil: node.now - 5000 + 60 * MINUTE });
  node.submit(1, bytes);
  // In another lane a copy may stand before its time.
  node.execute([{ lane: 1, payload: payloadOf([bytes]) }]);
  t.deepEqual(node.codes(), {});
  node.settle();
  t.deepEqual(node.codes(), { 1: 'valid_until_too_far' });
  t.is(node.machine.status().waitingBytes, 0);
  node.submit(2, bytes);
  node.execute([{ lane: 0, payload: payloadOf([bytes]) }], node.now);
  t.is(node.codes()[2], 'ok');
});

test('I125: below the window what executed gets its first receipts, and what did not is seq_too_old', (t) => {
  const node = new Node();
  for (const [request, seq] of [1, 2000].entries()) {
    node.submit(request, sub(seq));
    node.settle();
  }
  node.submit(2, sub(1));
  node.submit(3, sub(2));
  t.is(node.sealed.length, 0);
  t.deepEqual(node.codes(), { 0: 'ok', 1: 'ok', 2: 'ok', 3: 'seq_too_old' });
  const receipts = node.results.map((each) => (each.ok ? each.receipts : null));
  t.deepEqual(receipts[2], receipts[0]);
  // Not in memory any more: after a restart.
  const later = new Node(clusterOf(), node.log);
  for (const seq of [1, 2000]) later.execute([{ lane: 0, payload: payloadOf([sub(seq)]) }]);
  later.submit(1, sub(1));
  later.submit(2, sub(2));
  t.deepEqual(later.codes(), { 1: 'ok', 2: 'seq_too_old' });
});

test('what executed, and stands neither in memory nor in the log yet, is to be asked for again', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  node.settle();
  const others = Array.from({ length: RECENT_RECEIPTS_MAX }, (_, at) =>
    vouched(`${at}`, [put('a', 1)]),
  );
  node.execute([{ lane: 0, payload: payloadOf(others) }]);
  const log = node.log.splice(0);
  node.submit(2, sub(0));
  t.is(node.codes()[2], 'receipts_pending');
  node.log.push(...log);
  node.submit(3, sub(0));
  t.is(node.codes()[3], 'ok');
});

test('I125: while the log can not be asked, nothing is refused for good', (t) => {
  const node = new Node();
  node.submit(0, sub(2000));
  node.settle();
  node.logIsSilent = true;
  const expired = signed(0, [put('a', 1)], { validUntil: START_MS });
  for (let at = 1; at <= WAITING_REQUESTS_MAX; at++) node.submit(at, expired);
  t.is(node.results.length, 1);
  node.submit(-1, expired);
  node.submit(-2, sub(1));
  t.deepEqual(node.codes(), { 0: 'ok', [-1]: 'overloaded', [-2]: 'overloaded' });
});

test('what was executed and then forgotten is answered from the log, not as expired', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  node.settle();
  const later = new Node(clusterOf(), node.log);
  later.execute([{ lane: 0, payload: payloadOf([sub(0)]) }]);
  for (let i = 0; i < 3; i++) later.execute([], START_MS + (i + 1) * 20 * MINUTE);
  later.submit(1, sub(0));
  t.is(later.codes()[1], 'ok');
});
