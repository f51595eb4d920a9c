/** What reads reflect, and what is executed each time: one test for each line of the page. */
import test from 'ava';
import { builtInModules } from '../../src/modules/built-in.ts';
import { Queries } from '../../protocols/transaction/queries.ts';
import { BINDINGS, start, type Started } from '../http/start.ts';
import { API_TOKEN } from '../http/test-node.ts';
import { onKey } from '../modules/kv/store.ts';
import { Chain, clusterOf, finalBlock, payloadOf, signed } from '../transaction/fixture.ts';
import { Node, sub } from '../transaction/node.ts';

const at = { namespace: 'n', key: 'k' };
const set = (value: number) => onKey('set', { value });

async function put({ url }: Started, value: number): Promise<number> {
  const answer = await fetch(`${url}/api/v11/kv/n/k`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  const { height } = (await answer.json()) as { height: number };
  return height;
}

async function get({ url }: Started): Promise<{ value: number; height: number }> {
  const answer = await fetch(`${url}/api/v11/kv/n/k`);
  const { value } = (await answer.json()) as { value: number };
  return { value, height: Number(answer.headers.get('x-althing-height')) };
}

for (const binding of BINDINGS) {
  test(`${binding}, read-own: who has a receipt from a node reads there what it wrote`, async (t) => {
    const started = await start(t, binding);
    for (let value = 1; value <= 10; value++) {
      const height = await put(started, value);
      const read = await get(started);
      t.is(read.value, value);
      t.true(read.height >= height);
    }
  });

  test(`${binding}, not-once: without a key or a signature each request executes`, async (t) => {
    const started = await start(t, binding);
    t.not(await put(started, 1), await put(started, 1));
    const answer = await fetch(`${started.url}/api/v11/kv/n/k`);
    t.like(await answer.json(), { version: 2 });
  });

  test(`${binding}, read-monotone: the height of a node's answers does not fall`, async (t) => {
    const started = await start(t, binding);
    const heights: number[] = [];
    await put(started, 0);
    const reading = (async () => {
      for (let n = 0; n < 50; n++) heights.push((await get(started)).height);
    })();
    for (let value = 1; value <= 10; value++) await put(started, value);
    await reading;
    t.deepEqual(
      heights,
      heights.toSorted((a, b) => a - b),
    );
  });

  test(`${binding}, order-after-receipt: what is sent after a receipt executes after it`, async (t) => {
    const started = await start(t, binding);
    let last = 0;
    for (let value = 1; value <= 5; value++) {
      const height = await put(started, value);
      t.true(height > last);
      last = height;
    }
    t.is((await get(started)).value, 5);
  });
}

test('read-final: a read waits while a block is executed, and never sees a part of it', (t) => {
  const chain = new Chain(clusterOf(), builtInModules);
  const { executor } = chain;
  chain.run(signed(0, [set(1)]));
  const block = finalBlock(2, [[0, [signed(1, [set(2), set(3)]), signed(2, [set(4)])]]]);
  executor.begin(block, { left: 1 });
  t.is(executor.advance({ left: 1 }), null);
  t.false(executor.isBetweenBlocks, 'the machine answers no query now (machine.test.ts, I99)');
  while (executor.advance({ left: 1 }) === null);
  t.true(executor.isBetweenBlocks);
  const answer = new Queries(executor).run({
    module: 'kv',
    query: 'get',
    args: at,
  });
  t.like(answer, { ok: true, value: { value: 4 } });
});

test('eventual-node: a node that lags answers as all did at its height, and says which', (t) => {
  const nodes = [0, 1].map(() => new Chain(clusterOf(), builtInModules));
  const [ahead, behind] = nodes as [Chain, Chain];
  const submissions = [1, 2, 3].map((value) => signed(value, [set(value)]));
  const answers = submissions.map((submission) => {
    ahead.run(submission);
    return read(ahead);
  });
  for (const [number, submission] of submissions.entries()) {
    behind.run(submission);
    t.deepEqual(read(behind), answers[number]);
    t.is(behind.executor.height, number + 1);
  }
});

function read({ executor }: Chain): unknown {
  return new Queries(executor).run({ module: 'kv', query: 'get', args: at });
}

test('read-linearizable: a read waits at a node that lags until it has executed what was final when it was asked', (t) => {
  const node = new Node();
  const heights = (): number[] =>
    node.told.flatMap((said) => (said.kind === 'answer' && said.result.ok ? [said.height] : []));
  node.step({ kind: 'confirm', request: 1 });
  node.execute([{ lane: 1, payload: payloadOf([sub(0, 7)]) }]);
  t.deepEqual(heights(), [], 'this block may have been final long before');
  node.settle();
  t.deepEqual(heights(), [2]);
  const read = { module: 'scratch', query: 'get', args: 'k0', notBelow: 2 };
  t.like(node.ask({ kind: 'query', request: 2, ...read }), { ok: true, value: 7 });
});

test('read-at-height: a read of a height shows the rows after that block, the same on every node', (t) => {
  const chains = [new Chain(clusterOf(), builtInModules), new Chain(clusterOf(), builtInModules)];
  const [ahead, behind] = chains as [Chain, Chain];
  const heights = [1, 2, 3, 4, 5];
  for (const chain of chains) {
    for (const seq of heights) chain.run(signed(seq, [set(seq)]));
  }
  for (const seq of [6, 7, 8]) ahead.run(signed(seq, [set(seq)]));
  for (const height of heights) {
    const read = { module: 'kv', query: 'get', args: at, atHeight: height };
    const answers = [ahead, behind].map(({ executor }) => new Queries(executor).run(read));
    t.like(answers[0], { ok: true, value: { value: height } });
    t.deepEqual(answers[0], answers[1]);
  }
});
