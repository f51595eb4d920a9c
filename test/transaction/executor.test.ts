import test from 'ava';
import fc from 'fast-check';
import { utf8 } from '../../protocols/bytes.ts';
import { nonce } from '../../protocols/transaction/idempotency.ts';
import { InvariantViolation } from '../../protocols/machine.ts';
import {
  encodeSubmission,
  signSubmission,
  type Call,
} from '../../protocols/transaction/submission.ts';
import { encodeValue } from '../../protocols/transaction/values.ts';
import { crypto } from './crypto.ts';
import {
  alice,
  bob,
  Chain,
  CLUSTER_ID,
  clusterOf,
  finalBlock,
  idOf,
  nodes,
  receiptsOf,
  signed,
  START_MS,
  vouched,
} from './fixture.ts';
import { put } from './modules.ts';

const call = (command: string, args: Call['args'] = null): Call => ({
  module: 'scratch',
  command,
  args,
});
const MINUTE = 60_000;

test('executes the transactions of a submission in order, each with its receipt', (t) => {
  const chain = new Chain();
  const submission = signed(0, [
    put('a', 1),
    call('putThenRefuse', { key: 'a', value: 2 }),
    put('b', 3),
  ]);
  const receipts = receiptsOf(chain.run(submission));
  const id = idOf(submission);
  t.deepEqual(receipts, [
    { id: `${id}-0`, height: 1, index: 0, status: 'ok', events: [] },
    {
      id: `${id}-1`,
      height: 1,
      index: 1,
      status: 'failed',
      error: { code: 'changed_my_mind', message: 'nothing of this stays' },
      events: [],
    },
    { id: `${id}-2`, height: 1, index: 2, status: 'ok', events: [] },
  ]);
});

const failing: readonly (readonly [string, Call, string])[] = [
  ['refuses', call('putThenRefuse', { key: 'x', value: 1 }), 'changed_my_mind'],
  ['throws', call('putThenThrow', { key: 'x', value: 1 }), 'module_fault'],
  ['writes what has no canonical form', call('putFraction'), 'module_fault'],
  ['answers what has no canonical form', call('answerFraction'), 'module_fault'],
  ['gets arguments that do not fit', call('put', 7), 'invalid_args'],
  ['does not exist', call('nothing'), 'unknown_command'],
  ['is in no module', { ...call('put'), module: 'nowhere' }, 'unknown_module'],
];

for (const [what, failed, code] of failing) {
  test(`I47: a command that ${what} fails with ${code} and leaves no trace`, (t) => {
    const chain = new Chain();
    const plain = new Chain();
    const receipts = receiptsOf(chain.run(signed(0, [put('a', 1), failed, put('b', 2)])));
    t.is(receipts[1]!.error?.code, code);
    plain.run(signed(0, [put('a', 1), put('b', 2), put('b', 2)]));
    const rows = (of: Chain) =>
      of.executor.state.tablesOf('scratch')['rows']!.page({ limit: 100 }).rows;
    t.deepEqual(rows(chain), rows(plain));
  });
}

test('I53: what a module throws shows neither its text nor its stack', (t) => {
  const receipts = receiptsOf(
    new Chain().run(signed(0, [call('putThenThrow', { key: 'x', value: 1 })])),
  );
  t.is(receipts[0]!.error?.message, 'the module failed; nothing of the transaction remains');
});

test('I53: time, height, sender and randomness come from the block and the submission', (t) => {
  const look = (): unknown => {
    const chain = new Chain();
    chain.run();
    const client = receiptsOf(chain.run(signed(0, [call('look'), call('look')])));
    const node = receiptsOf(chain.next([[1, [vouched('k', [call('look')], { lane: 1 })]]]));
    return [client, node];
  };
  const first = look() as [ReturnType<typeof receiptsOf>, ReturnType<typeof receiptsOf>];
  t.deepEqual(first as unknown, look());
  t.deepEqual(first[0][0]!.result, {
    time: START_MS + 20,
    height: 2,
    sender: `key:${alice.publicKey}`,
    via: '',
  });
  t.deepEqual(first[1][0]!.result, {
    time: START_MS + 30,
    height: 3,
    sender: 'principal:alice',
    via: nodes[1]!.publicKey,
  });
  const draws = [...first[0], ...first[1]].flatMap(({ events }) =>
    Object.values(events[0]!.data as Record<string, Uint8Array>).map((drawn) => drawn.join()),
  );
  t.is(new Set(draws).size, 6);
});

test('a module names content by a hash that anybody can compute, and knows the validators', (t) => {
  const value = { b: [1, 'x'], a: null };
  const [answer, other] = receiptsOf(
    new Chain().run(
      signed(0, [
        { module: 'scratch', command: 'hash', args: value },
        { module: 'scratch', command: 'hash', args: { ...value, a: 0 } },
      ]),
    ),
  ).map(({ result }) => result as { hash: string; validators: unknown });
  const tag = utf8('althing/v1/value');
  const input = Uint8Array.of(0, 0, 0, tag.length, ...tag, ...encodeValue(value));
  t.is(answer!.hash, crypto.hash(input));
  t.not(answer!.hash, other!.hash);
  t.deepEqual(
    answer!.validators,
    nodes.map(({ publicKey }) => publicKey),
  );
});

test('I54: blocks execute in height order only', (t) => {
  const { executor } = new Chain();
  const begin = (height: number) => executor.begin(finalBlock(height, []), { left: 1 });
  t.throws(() => begin(2), { instanceOf: InvariantViolation });
  begin(1);
  t.throws(() => begin(2), { instanceOf: InvariantViolation });
});

test('I54: a block cut into slices gives what it gives in one go', (t) => {
  const submissions = Array.from({ length: 20 }, (_, seq) =>
    signed(seq, [put(`k${seq % 7}`, seq)]),
  );
  const whole = new Chain();
  const expected = whole.run(...submissions);
  const { executor } = new Chain();
  executor.begin(finalBlock(1, [[0, submissions]]), { left: 1 });
  let slices = 0;
  let result = null;
  for (; result === null; slices++) result = executor.advance({ left: 1 });
  t.true(slices > 10);
  t.deepEqual(result, expected);
  t.is(executor.state.checkpoint(), whole.root());
});

test('I55: a submission executes once, however often and through whichever lanes it comes', (t) => {
  const submissions = Array.from({ length: 5 }, (_, seq) => signed(seq, [put(`k${seq}`, seq)]));
  const order = fc.array(fc.tuple(fc.nat(4), fc.nat(3), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(order, (arrivals) => {
      const chain = new Chain();
      let batches: [number, Uint8Array[]][] = [];
      for (const [which, lane, ends] of arrivals) {
        batches.push([lane, [submissions[which]!]]);
        if (!ends) continue;
        chain.next(batches);
        batches = [];
      }
      chain.next(batches);
      const executed = chain.heard.filter(({ kind }) => kind === 'executed').length;
      t.is(executed, new Set(arrivals.map(([which]) => which)).size);
      t.is(chain.heard.length, arrivals.length);
    }),
    { numRuns: 60 },
  );
});

test('I55: a node submission needs its node: its own lane, or its signature', (t) => {
  const chain = new Chain();
  const own = vouched('own', [put('own', 1)], { lane: 1 });
  const stolen = vouched('stolen', [put('stolen', 1)], { lane: 1 });
  const content = {
    kind: 'node' as const,
    clusterId: CLUSTER_ID,
    principal: 'alice',
    validUntil: START_MS + MINUTE,
    transactions: [put('handed', 1)],
  };
  const handed = signSubmission(
    { ...content, key: nodes[1]!.publicKey, idempotencyKey: utf8('handed') },
    nodes[1]!,
  );
  const stranger = signSubmission(
    { ...content, key: bob.publicKey, idempotencyKey: utf8('stranger') },
    bob,
  );
  chain.next([
    [1, [own]],
    [2, [stolen, handed, stranger]],
  ]);
  const executed = chain.heard.map((each) => each.kind === 'executed' && each.receipts.id);
  t.deepEqual(executed, [idOf(own, false), idOf(handed)]);
});

test('I45: an idempotency key executes once for its principal, at whatever node it is retried', (t) => {
  const chain = new Chain();
  const first = vouched('k', [put('a', 1)], { lane: 0 });
  const again = vouched('k', [put('a', 1)], { lane: 1, validUntil: START_MS + 2 * MINUTE });
  const other = vouched('k', [put('a', 2)], { lane: 2 });
  const elsewhere = vouched('k', [put('a', 3)], { lane: 3, principal: 'bob' });
  chain.next([
    [0, [first]],
    [1, [again]],
    [2, [other]],
    [3, [elsewhere]],
  ]);
  t.deepEqual(
    chain.heard.map((each) => (each.kind === 'refused' ? each.code : each.kind)),
    ['executed', 'repeated', 'idempotency_key_reused', 'executed'],
  );
  const repeated = chain.heard[1]!;
  t.is(repeated.kind === 'repeated' ? repeated.place.id : '', idOf(first, false));
});

/** The chain forgets a key so long after it executed; a submission under one is valid for half of it. */
const keysForAnHour = () => new Chain(clusterOf({ validityMsMax: 60 * MINUTE }));

test('I46: an idempotency key outlives its submission, and is forgotten in the end', (t) => {
  const chain = keysForAnHour();
  const empty = chain.root();
  const putNothing = [call('putThenRefuse', { key: 'a', value: 1 })];
  chain.run(vouched('k', putNothing, { validUntil: START_MS + MINUTE }));
  t.not(chain.root(), empty);
  chain.next([], START_MS + 60 * MINUTE);
  t.is(chain.executor.state.keys.size, 1);
  chain.next([], START_MS + 62 * MINUTE);
  t.is(chain.executor.state.keys.size, 0);
  t.is(chain.root(), empty);
});

test('I46: whichever attempt executes first, and however long each is valid, a retry never executes', (t) => {
  const minutes = fc.integer({ min: 1, max: 29 });
  const attempt = fc.record({ sentAt: fc.nat(29), validFor: minutes, takes: minutes });
  fc.assert(
    fc.property(fc.array(attempt, { minLength: 2, maxLength: 6 }), (attempts) => {
      const chain = keysForAnHour();
      const inOrder = attempts.toSorted((a, b) => a.sentAt + a.takes - (b.sentAt + b.takes));
      for (const [at, { sentAt, validFor, takes }] of inOrder.entries()) {
        const lane = at % 4;
        const validUntil = START_MS + (sentAt + validFor) * MINUTE;
        const retry = vouched('k', [put('a', 1)], { lane, validUntil });
        // A cut-off node may seal it and be heard of late.
        chain.next([[lane, [retry]]], START_MS + (sentAt + takes) * MINUTE + at);
      }
      t.true(chain.heard.filter(({ kind }) => kind === 'executed').length <= 1);
    }),
  );
});

test('I46: a submission under a key may be valid for half as long as the key is remembered', (t) => {
  const chain = keysForAnHour();
  const until = (ms: number) => ({ validUntil: START_MS + 10 + ms });
  chain.run(vouched('far', [put('a', 1)], until(30 * MINUTE + 1)));
  t.deepEqual(chain.heard, []);
  chain.run(vouched('near', [put('a', 1)], until(30 * MINUTE)));
  t.is(chain.heard.length, 1);
});

test('I46: a nonce is forgotten with its submission, which may be valid as long as any', (t) => {
  const chain = keysForAnHour();
  const key = String.fromCharCode(...nonce(Uint8Array.of(1, 2, 3)));
  chain.run(vouched(key, [put('a', 1)], { validUntil: START_MS + 59 * MINUTE }));
  t.is(chain.heard[0]?.kind, 'executed');
  t.is(chain.executor.state.keys.size, 1);
  chain.next([], START_MS + 60 * MINUTE);
  t.is(chain.executor.state.keys.size, 0);
});

test('refuses in the chain what expired, reuses a seq, or is too old', (t) => {
  const chain = new Chain();
  chain.run(signed(5000, [put('a', 1)]));
  chain.run(
    signed(5000, [put('a', 2)]),
    signed(3000, [put('a', 3)]),
    signed(5001, [put('a', 4)], { validUntil: START_MS + 15 }),
  );
  t.deepEqual(
    chain.heard.map((each) => (each.kind === 'refused' ? each.code : each.kind)),
    ['executed', 'seq_reused', 'seq_too_old', 'expired'],
  );
});

test('a checkpoint is made every C heights; its roots are the committed ones', (t) => {
  const chain = new Chain(clusterOf({}, { scratch: 'hello' }));
  const checkpoints = [];
  for (let height = 1; height <= 8; height++) {
    const lane = height % 4;
    const { checkpoint } = chain.next([
      [0, [signed(height, [put(`k${height}`, height), call('look')])]],
      [lane, [vouched(`n${height}`, [put('shared', height)], { lane })]],
    ]);
    if (checkpoint !== null) checkpoints.push(checkpoint);
  }
  t.deepEqual(checkpoints, [
    {
      height: 4,
      stateRoot: '8946cab16a6290e654c16d624f2a4918297f59ff44e63fbf927d2e9cd0568aae',
      receiptsRoot: 'ece67edafbaf94f4b66c89df67a4eecec35fa714c0ab8633401e502b5c3546d8',
      pendingSet: '0'.repeat(64),
    },
    {
      height: 8,
      stateRoot: '8834eb55dcf0902fe835e672093f6395f97620c81e109f533ae2549cfc30a338',
      receiptsRoot: '4a31a28f629feaea47de5d24f2bd4b871e4da559ef68991da20538d7e5b4eb4f',
      pendingSet: '0'.repeat(64),
    },
  ] as unknown as typeof checkpoints);
});

test('encodes what the executor reads even for the largest submission', (t) => {
  const many = Array.from({ length: 1000 }, (_, at) => put(`k${at % 10}`, at));
  const result = new Chain().run(signed(0, many));
  t.is(result.txCount, 1000);
  t.is(result.receipts[0]!.encoded.length, 3);
  t.notThrows(() =>
    encodeSubmission({
      kind: 'client',
      clusterId: CLUSTER_ID,
      key: alice.publicKey,
      seq: 0,
      validUntil: 1,
      transactions: many,
    }),
  );
});
