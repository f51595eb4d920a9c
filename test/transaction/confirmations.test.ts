import test from 'ava';
import fc from 'fast-check';
import { BARRIER_EVERY_MS } from '../../protocols/transaction/confirmations.ts';
import { clusterOf } from './fixture.ts';
import { Node, sub } from './node.ts';

const CONFIRM = 'transaction/confirm';

const confirm = (node: Node, request: number): void => void node.step({ kind: 'confirm', request });

/** Requests that were answered, with what they were told. */
function answers(node: Node): Record<number, string> {
  return Object.fromEntries(
    node.told.flatMap((message) => {
      if (message.kind !== 'answer') return [];
      const { request, height, result } = message;
      return [[request, result.ok ? `confirmed at ${height}` : result.code]];
    }),
  );
}

/** A moment later, when whatever is paced is due. */
function later(node: Node): void {
  node.now += BARRIER_EVERY_MS;
  node.fire(CONFIRM);
}

test('I106: a request is confirmed by a batch that was sealed after it, and by none before', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  confirm(node, 2);
  t.deepEqual(
    node.sealed.map(({ txCount }) => txCount),
    [1, 0],
  );
  const [before, after] = node.sealed;
  node.execute([{ lane: 1, payload: before!.payload.slice() }]);
  node.execute([{ lane: 0, payload: before!.payload }]);
  t.deepEqual(answers(node), {});
  node.execute([{ lane: 0, payload: after!.payload }]);
  t.deepEqual(answers(node), { 2: 'confirmed at 3' });
});

test('I106: a batch of submissions confirms as well, and nothing is sealed for reads beside it', (t) => {
  const node = new Node();
  node.step({ kind: 'laneRoom', bytes: 0 });
  node.submit(1, sub(0));
  confirm(node, 2);
  t.is(node.sealed.length, 0);
  node.step({ kind: 'laneRoom', bytes: 10_000 });
  t.deepEqual(
    node.sealed.map(({ txCount }) => txCount),
    [1],
  );
  node.settle();
  t.deepEqual(answers(node), { 2: 'confirmed at 1' });
});

test('I106: batches of an earlier life confirm nothing, however like the new one they are', (t) => {
  const old = new Node();
  confirm(old, 1);
  const { payload } = old.sealed[0]!;
  const node = new Node();
  confirm(node, 2);
  t.deepEqual(node.sealed[0]!.payload, payload);
  node.execute([{ lane: 0, payload: payload.slice() }]);
  t.deepEqual(answers(node), {});
  node.settle();
  t.deepEqual(answers(node), { 2: 'confirmed at 2' });
});

test('I106: whatever is sealed and executed in between, each request is confirmed once and never too early', (t) => {
  const act = fc.constantFrom('confirm', 'submit', 'execute', 'wait');
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const node = new Node();
      const sealedBefore = new Map<number, number>();
      let sealed = 0;
      let executed = 0;
      const check = (): void => {
        for (const [request, told] of Object.entries(answers(node))) {
          t.regex(told, /^confirmed/);
          t.true(executed > sealedBefore.get(Number(request))!);
        }
      };
      const execute = (): void => {
        const batch = node.sealed.shift();
        if (batch === undefined) return;
        executed++;
        node.execute([{ lane: 0, payload: batch.payload }]);
      };
      for (const [at, kind] of acts.entries()) {
        const before = node.sealed.length;
        if (kind === 'confirm') sealedBefore.set(at, sealed);
        if (kind === 'confirm') confirm(node, at);
        else if (kind === 'submit') node.submit(at, sub(at));
        else if (kind === 'wait') later(node);
        sealed += node.sealed.length - before;
        if (kind === 'execute') {
          execute();
          sealed = executed + node.sealed.length;
        }
        check();
      }
      for (let rounds = 0; rounds < 200; rounds++) {
        later(node);
        execute();
      }
      t.deepEqual(Object.keys(answers(node)).map(Number), [...sealedBefore.keys()]);
    }),
    { numRuns: 200 },
  );
});

test('I107: readers share a batch, and there is one at a time and one in so many milliseconds', (t) => {
  const node = new Node();
  for (let request = 0; request < 100; request++) confirm(node, request);
  t.is(node.sealed.length, 1, 'the first, while the others wait for the next');
  for (let rounds = 0; rounds < 5; rounds++) later(node);
  t.is(node.sealed.length, 1, 'none while one is under way');
  node.settle();
  t.is(node.sealed.length, 1, 'and here is the next');
  t.is(Object.keys(answers(node)).length, 1);
  node.settle();
  t.is(Object.keys(answers(node)).length, 100);
  confirm(node, 100);
  t.is(node.sealed.length, 0, 'not so soon after the last');
  later(node);
  t.is(node.sealed.length, 1);
  node.settle();
  later(node);
  t.is(node.sealed.length, 0, 'none that nobody waits for');
});

test('I107: a clock that is set back does not keep readers waiting', (t) => {
  const node = new Node();
  confirm(node, 1);
  node.settle();
  node.now -= 3_600_000;
  confirm(node, 2);
  t.is(node.sealed.length, 1);
});

test('I107: nothing is sealed for reads into a lane that is full, and what waits is bounded', (t) => {
  const node = new Node(clusterOf());
  node.step({ kind: 'laneRoom', bytes: 0 });
  for (let request = 0; request < 2_000; request++) confirm(node, request);
  t.is(node.sealed.length, 0);
  const told = answers(node);
  t.is(told[1_023], undefined);
  t.is(told[1_024], 'overloaded');
  node.step({ kind: 'laneRoom', bytes: 1 });
  t.is(node.sealed.length, 1);
  node.settle();
  t.is(Object.values(answers(node)).filter((each) => each === 'confirmed at 1').length, 1_024);
});

test('who asks a node that drains, or executes its log again, is told so at once', (t) => {
  const node = new Node();
  confirm(node, 1);
  node.step({ kind: 'drain' });
  confirm(node, 2);
  t.deepEqual(answers(node), { 2: 'draining' });
  node.settle();
  t.deepEqual(answers(node), { 1: 'confirmed at 1', 2: 'draining' });

  const old = new Node();
  for (let seq = 0; seq < 3; seq++) {
    old.submit(seq, sub(seq));
    old.settle();
  }
  const again = new Node(clusterOf(), old.log);
  confirm(again, 1);
  t.deepEqual(answers(again), { 1: 'catching_up' });
  t.is(again.sealed.length, 0);
});

test('I108: what was confirmed at a height is not answered from below it', (t) => {
  const node = new Node();
  node.submit(1, sub(0));
  const query = { kind: 'query', request: 2, module: 'scratch', query: 'get', args: 'k0' } as const;
  t.like(node.ask({ ...query, notBelow: 1 }), { ok: false, code: 'catching_up' });
  node.settle();
  t.like(node.ask({ ...query, notBelow: 1 }), { ok: true });
  t.like(node.ask({ ...query, notBelow: 2 }), { ok: false, code: 'catching_up' });
});
