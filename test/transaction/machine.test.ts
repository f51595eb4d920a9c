import test from 'ava';
import { InvariantViolation, type LogEvent } from '../../protocols/machine.ts';
import type { Digest } from '../../protocols/types.ts';
import { WAITING_REQUESTS_MAX } from '../../protocols/transaction/ingress-limits.ts';
import { bob, clusterOf, finalBlock, idOf, payloadOf, signed } from './fixture.ts';
import { put } from './modules.ts';
import { Node, sub } from './node.ts';

test('tells replication how far it is, and of checkpoints before that', (t) => {
  const node = new Node();
  for (let height = 1; height <= 4; height++) node.execute();
  const kinds = node.told.map((each) =>
    each.kind === 'executedTo' ? `executedTo ${each.height}` : each.kind,
  );
  t.deepEqual(kinds, [
    'executeFrom',
    'programs',
    ...[1, 2, 3].flatMap((height) => ['blockExecuted', `executedTo ${height}`]),
    'checkpointExecuted',
    'checkpointExecuted',
    'blockExecuted',
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
  node.step({
    kind: 'execute',
    block,
    digest,
    batches: [{ lane: 1, payload: payloadOf(many) }],
    sealed: 0,
  });
  t.true(node.timers.has('transaction/execute'));
  t.is(node.machine.status().executedHeight, 0);
  t.is(
    node.ask({ kind: 'query', request: 5, module: 'scratch', query: 'get', args: 'k2' }),
    undefined,
  );
  node.fireTimers();
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

test('a block that comes again, or before its turn, stops the machine', (t) => {
  for (const height of [1, 2, 4]) {
    const node = new Node();
    node.execute();
    node.execute();
    const { block, digest } = finalBlock(height, []);
    t.throws(() => node.step({ kind: 'execute', block, digest, batches: [], sealed: 0 }), {
      instanceOf: InvariantViolation,
    });
  }
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

test('I59: what waits for the log is bounded, and who is too many is told so', (t) => {
  const node = new Node();
  node.logIsSilent = true;
  const find = () => node.ask({ kind: 'findSubmission', request: 1, id: idOf(sub(0)) });
  for (let at = 0; at < WAITING_REQUESTS_MAX; at++) find();
  t.like(find(), { ok: false, code: 'overloaded' });
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

test('I99: however many queries wait, one step answers a few of them, and blocks go before', (t) => {
  const node = new Node();
  const big = 'x'.repeat(20_000);
  node.submit(1, signed(0, [put('a', big)], { signer: bob }));
  node.settle();
  const answered = (): number => node.told.filter(({ kind }) => kind === 'answer').length;
  const asked = { kind: 'query', module: 'scratch', query: 'get', args: 'a' } as const;
  for (let request = 0; request < 64; request++) node.step({ ...asked, request });
  t.is(answered(), 1);
  const { block, digest } = finalBlock(2, []);
  node.step({ kind: 'execute', block, digest, batches: [], sealed: 0 });
  t.is(node.machine.status().executedHeight, 2);
  t.is(answered(), 1);
  for (let steps = 1; steps <= 32; steps++) {
    node.fire('transaction/answer');
    t.is(answered(), Math.min(64, 1 + 2 * steps));
  }
  node.fireTimers();
  t.is(node.timers.size, 0);
  const requests = node.told.flatMap((each) => (each.kind === 'answer' ? [each.request] : []));
  t.deepEqual(
    requests,
    Array.from({ length: 64 }, (_, request) => request),
  );
});
