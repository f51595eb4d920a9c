import test from 'ava';
import fc from 'fast-check';
import { InvariantViolation, type LogEvent } from '../../protocols/machine.ts';
import type { Effect, SubmitResult, TransactionInput } from '../../protocols/messages.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import { decodeReceipts } from '../../protocols/transaction/receipts.ts';
import { PayloadCursor } from '../../protocols/transaction/payload.ts';
import { TransactionMachine } from '../../protocols/transaction/transaction.ts';
import type { Digest } from '../../protocols/types.ts';
import { crypto } from './crypto.ts';
import {
  bob,
  clusterOf,
  finalBlock,
  idOf,
  nodes,
  payloadOf,
  signed,
  START_MS,
  vouched,
} from './fixture.ts';
import { defaultModules, put } from './modules.ts';

type Tell = Extract<Effect, { kind: 'tell' }>;
const MINUTE = 60_000;

/** One machine, with everything that it says, and a log that keeps its events. */
class Node {
  readonly machine: TransactionMachine;
  readonly log: LogEvent[];
  readonly told: Tell['message'][] = [];
  readonly sealed: { payload: Uint8Array; txCount: number }[] = [];
  readonly results: SubmitResult[] = [];
  now = START_MS;
  timer = false;
  height = 0;

  constructor(cluster: Cluster = clusterOf(), log: LogEvent[] = []) {
    this.log = log;
    const options = { cluster, self: 0, crypto, signer: nodes[0]!, modules: defaultModules };
    this.machine = new TransactionMachine(options);
    for (
      let read = this.machine.nextRecovery();
      read !== null;
      read = this.machine.nextRecovery()
    ) {
      const last = log.at(-1);
      if (last !== undefined) this.machine.recover(last);
    }
    this.step({ kind: 'started' });
  }

  step(input: TransactionInput): Tell['message'][] {
    const before = this.told.length;
    const out = this.machine.step(input, this.now);
    for (const event of [...out.events, ...out.deferred]) {
      if (event.seq !== this.log.length) throw new Error(`event ${event.seq} is out of place`);
      this.log.push(event);
    }
    for (const effect of [...out.immediate, ...out.effects]) this.#release(effect);
    return this.told.slice(before);
  }

  #release(effect: Effect): void {
    if (effect.kind === 'setTimer') this.timer = true;
    else if (effect.kind === 'findLog') {
      const event = this.log.findLast(({ keys }) => keys?.includes(effect.key)) ?? null;
      this.step({ kind: 'logFound', tag: effect.tag, event });
    } else if (effect.kind === 'tell') {
      const { message } = effect;
      this.told.push(message);
      if (message.kind === 'sealBatch') this.sealed.push(message);
      if (message.kind === 'submitted') this.results.push(...message.results);
    }
  }

  submit(request: number, bytes: Uint8Array): void {
    this.step({ kind: 'submit', submissions: [{ request, bytes }] });
  }

  /** The next block holds these payloads, each in its lane. */
  execute(
    batches: readonly { lane: number; payload: Uint8Array }[] = [],
    timestamp?: number,
  ): Tell['message'][] {
    const { block, digest } = finalBlock(++this.height, [], timestamp);
    const before = this.told.length;
    this.step({ kind: 'execute', block, digest, batches });
    while (this.timer) {
      this.timer = false;
      this.step({ kind: 'timer', timer: 'transaction/execute' });
    }
    return this.told.slice(before);
  }

  /** Everything sealed so far becomes final, one block for each batch. */
  settle(): void {
    for (const { payload } of this.sealed.splice(0)) this.execute([{ lane: 0, payload }]);
  }

  codes(): Record<number, string> {
    return Object.fromEntries(
      this.results.map((each) => [each.request, each.ok ? 'ok' : each.code]),
    );
  }

  ask(input: TransactionInput & { kind: 'query' | 'findSubmission' }): unknown {
    const said = this.step(input).find(({ kind }) => kind === 'answer');
    return said?.kind === 'answer' ? said.result : undefined;
  }
}

const sub = (seq: number, value = seq): Uint8Array => signed(seq, [put(`k${seq}`, value)]);

test('a submission is sealed at once, executed, and answered with its receipts', (t) => {
  const node = new Node();
  node.submit(7, sub(0));
  t.is(node.sealed.length, 1);
  t.is(node.machine.status().waiting, 1);
  node.settle();
  const [result] = node.results;
  t.is(result?.request, 7);
  t.is(result?.ok === true ? decodeReceipts(result.receipts)?.[0]?.status : '', 'ok');
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
      shortLived: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(offered, (requests) => {
      const node = new Node();
      for (const [
        request,
        { seq, value, own, broken, settles, shortLived },
      ] of requests.entries()) {
        const validUntil = shortLived ? START_MS + 100 : START_MS + MINUTE;
        const bytes = own
          ? vouched(`key-${seq}`, [put('a', value)], { validUntil })
          : signed(seq, [put('a', value)], { validUntil });
        if (broken) bytes[bytes.length - 1]! ^= 1;
        node.submit(request, bytes);
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

test('under light load nothing lingers; under load batches grow until one is executed', (t) => {
  const node = new Node();
  for (let seq = 0; seq < 10; seq++) node.submit(seq, sub(seq));
  t.deepEqual(
    node.sealed.map(({ txCount }) => txCount),
    [1, 1],
  );
  node.execute([{ lane: 0, payload: node.sealed[0]!.payload }]);
  t.is(node.sealed.at(-1)!.txCount, 8);
});

test('I57: no batch exceeds its bound, and the lane never holds more than it may', (t) => {
  const limits = { batchBytesMax: 1000, laneBytesMax: 3000, submissionBytesMax: 900 };
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.boolean()), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(sizes, (submissions) => {
      const node = new Node(clusterOf(limits));
      let inLane = 0;
      for (const [seq, [size, settles]] of submissions.entries()) {
        node.submit(seq, signed(seq, [put('k', 'x'.repeat(size))]));
        if (settles && node.sealed.length > 0) {
          const { payload } = node.sealed.shift()!;
          node.execute([{ lane: 0, payload }]);
        }
        inLane = node.sealed.reduce((sum, { payload }) => sum + payload.length, 0);
        t.true(inLane <= limits.laneBytesMax);
        t.true(node.sealed.every(({ payload }) => payload.length <= limits.batchBytesMax));
      }
    }),
    { numRuns: 60 },
  );
});

test('I57: room that replication does not report is not used', (t) => {
  const node = new Node();
  node.step({ kind: 'laneRoom', bytes: 0 });
  node.submit(1, sub(0));
  t.is(node.sealed.length, 0);
  node.step({ kind: 'laneRoom', bytes: 10_000 });
  t.is(node.sealed.length, 1);
});

test('I59: what waits is bounded, and who is too many gets a time to retry', (t) => {
  const node = new Node(
    clusterOf({ batchBytesMax: 1000, laneBytesMax: 2000, submissionBytesMax: 900 }),
  );
  for (let seq = 0; seq < 100; seq++) node.submit(seq, sub(seq));
  const full = node.results.filter((each) => !each.ok && each.code === 'lane_full');
  t.true(full.length > 50);
  t.true(full.every((each) => !each.ok && each.retryAfterMs! > 0));
  t.true(node.machine.status().waitingBytes <= 10_000);
  while (node.sealed.length > 0) node.settle();
  t.is(node.results.length, 100);
});

test('I59: one submission does not collect requests without bound', (t) => {
  const node = new Node();
  for (let request = 0; request < 100; request++) node.submit(request, sub(0));
  t.is(node.results.filter((each) => !each.ok && each.code === 'overloaded').length, 36);
});

test('a drain refuses what is new and finishes what is under way', (t) => {
  const node = new Node();
  for (let seq = 0; seq < 5; seq++) node.submit(seq, sub(seq));
  node.step({ kind: 'drain' });
  t.is(node.sealed.length, 3);
  node.submit(9, sub(9));
  t.is(node.codes()[9], 'draining');
  node.settle();
  t.is(node.machine.status().waiting, 0);
});

test('tells replication and consensus how far it is, and of checkpoints before that', (t) => {
  const node = new Node();
  for (let height = 1; height <= 4; height++) node.execute();
  const kinds = node.told.map((each) =>
    each.kind === 'executedTo' ? `executedTo ${each.height}` : each.kind,
  );
  t.deepEqual(kinds.slice(0, 4), ['executedTo 0', 'blockExecuted', 'executedTo 1', 'executedTo 1']);
  t.deepEqual(kinds.slice(-5), [
    'checkpointExecuted',
    'checkpointExecuted',
    'blockExecuted',
    'executedTo 4',
    'executedTo 4',
  ]);
});

test('a long block is executed in slices, and is the same as in one', (t) => {
  const node = new Node();
  const many = Array.from({ length: 12 }, (_, seq) =>
    signed(
      seq,
      Array.from({ length: 500 }, (_unused, at) => put(`k${at}`, seq * at)),
    ),
  );
  const { block, digest } = finalBlock(1, []);
  node.step({ kind: 'execute', block, digest, batches: [{ lane: 1, payload: payloadOf(many) }] });
  t.true(node.timer);
  t.is(node.machine.status().executedHeight, 0);
  t.is(
    node.ask({ kind: 'query', request: 5, module: 'scratch', query: 'get', args: 'k2' }),
    undefined,
  );
  while (node.timer) {
    node.timer = false;
    node.step({ kind: 'timer', timer: 'transaction/execute' });
  }
  t.is(node.machine.status().executedTransactions, 6000);
  const answered = node.told.find((each) => each.kind === 'answer');
  t.deepEqual(answered?.kind === 'answer' ? [answered.height, answered.result] : null, [
    1,
    { ok: true, value: 22 },
  ]);
});

test('the log has one event for each block with submissions, found by submission id', (t) => {
  const node = new Node();
  node.execute();
  node.submit(1, sub(0));
  node.settle();
  node.execute();
  node.submit(2, sub(1));
  node.settle();
  t.deepEqual(
    node.log.map(({ seq, keys }) => [seq, keys]),
    [
      [0, [idOf(sub(0))]],
      [1, [idOf(sub(1))]],
    ],
  );
  t.is(node.log[0]!.stream, 'transaction');
});

/** The chain of `node`, given to a new machine over its log. */
function restart(history: readonly (readonly Uint8Array[])[], log: LogEvent[]): Node {
  const node = new Node(clusterOf(), log);
  for (const submissions of history) node.execute([{ lane: 1, payload: payloadOf(submissions) }]);
  return node;
}

test('executed again after a restart, it continues its log where it ended and says nothing twice', (t) => {
  const history = [[sub(0)], [], [sub(1), sub(2)], [sub(3)]];
  const whole = restart(history, []);
  for (let kept = 0; kept <= whole.log.length; kept++) {
    const node = new Node(clusterOf(), whole.log.slice(0, kept));
    const replays = kept > 0;
    t.is(node.machine.status().replayingTo !== undefined, replays);
    node.submit(1, sub(9));
    t.is(node.codes()[1], replays ? 'catching_up' : undefined);
    for (const submissions of history) node.execute([{ lane: 1, payload: payloadOf(submissions) }]);
    t.deepEqual(node.log, whole.log);
    t.is(node.machine.status().replayingTo, undefined);
    const heights = node.told.flatMap((each) =>
      each.kind === 'blockExecuted' ? [each.block.height] : [],
    );
    t.deepEqual(heights, [1, 2, 3, 4].slice([0, 1, 3, 4][kept]));
  }
});

test('a log that does not fit the chain stops the machine', (t) => {
  const { log } = restart([[sub(0)], [sub(1)]], []);
  t.throws(() => restart([[sub(0)], [sub(2)]], log.slice()), {
    instanceOf: InvariantViolation,
    message: /transaction\/1/,
  });
});

test('replication that began again is told once where to go on', (t) => {
  const node = new Node();
  node.execute();
  node.execute();
  node.execute();
  const again = (height: number) => {
    const { block, digest } = finalBlock(height, []);
    return node.step({ kind: 'execute', block, digest, batches: [] });
  };
  t.deepEqual(again(1), [{ kind: 'executedTo', height: 3 }]);
  t.deepEqual(again(2), []);
  t.deepEqual(again(3), []);
  t.throws(() => again(5), { instanceOf: InvariantViolation });
});

test('findSubmission answers with the receipts, or says why there are none', (t) => {
  const node = new Node();
  const find = (id: Digest) => node.ask({ kind: 'findSubmission', request: 1, id });
  t.like(find(idOf(sub(0))), { ok: false, code: 'not_found' });
  node.submit(1, sub(0));
  t.like(find(idOf(sub(0))), { ok: false, code: 'in_progress' });
  node.settle();
  t.like(find(idOf(sub(0))), { ok: true, value: { id: idOf(sub(0)), height: 1 } });
  const old = new Node(clusterOf(), node.log);
  t.like(old.ask({ kind: 'findSubmission', request: 1, id: idOf(sub(0)) }), {
    ok: true,
    value: { id: idOf(sub(0)), height: 1, txCount: 1 },
  });
});

test('queries answer from executed state and never show why a module failed', (t) => {
  const node = new Node();
  node.submit(1, signed(0, [put('a', [1])], { signer: bob }));
  node.settle();
  const query = (name: string, args: unknown, module = 'scratch') =>
    node.ask({ kind: 'query', request: 1, module, query: name, args });
  t.deepEqual(query('get', 'a'), { ok: true, value: [1] });
  t.like(query('get', 'b'), { ok: false, code: 'row_not_found' });
  t.like(query('get', 1), { ok: false, code: 'invalid_args' });
  t.like(query('get', 0.5), { ok: false, code: 'invalid_args' });
  t.like(query('nothing', 'a'), { ok: false, code: 'unknown_query' });
  t.like(query('get', 'a', 'nowhere'), { ok: false, code: 'unknown_module' });
  t.deepEqual(query('fail', 'a'), {
    ok: false,
    code: 'module_fault',
    message: 'the module failed to answer',
  });
});

test('what is sealed is read back as the submissions that were taken', (t) => {
  const node = new Node();
  const taken = [sub(0), sub(1), sub(2), sub(3)];
  for (const [request, bytes] of taken.entries()) node.submit(request, bytes);
  node.step({ kind: 'drain' });
  const read = node.sealed.flatMap(({ payload }) => {
    const cursor = new PayloadCursor(payload);
    const found: Uint8Array[] = [];
    while (cursor.next()) found.push(payload.slice(cursor.start, cursor.end));
    return found;
  });
  t.deepEqual(read, taken);
});
