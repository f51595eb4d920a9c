/** When the next node is asked, by a clock of the test's own. */
import { setImmediate as turn } from 'node:timers/promises';
import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import { attempts } from '../../src/client/hedging.ts';
import { Nodes } from '../../src/client/nodes.ts';

const urls = ['http://a', 'http://b', 'http://c', 'http://d'];

/** How many are asked when so much time has passed. */
async function check(
  t: ExecutionContext,
  nodes: Nodes,
  steps: readonly (readonly [ms: number, asked: number])[],
): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const ends = new AbortController();
  let asked = 0;
  const silent = (): Promise<null> => {
    asked++;
    return new Promise(() => undefined);
  };
  const first = attempts(nodes, 'GET', ends.signal, silent).next();
  for (const [ms, askedThen] of steps) {
    mock.timers.tick(ms);
    await turn();
    t.is(asked, askedThen);
  }
  ends.abort();
  t.true((await first).done);
}

test.serial('X11: each further node is asked twice as late', async (t) => {
  await check(t, new Nodes({ urls }), [
    [799, 1],
    [1, 2],
    [1_599, 2],
    [1, 3],
    [1_999, 3],
    [1, 4],
  ]);
});

test.serial(
  'X11: the next node is asked by its own pace, and not by that of the one that is slow',
  async (t) => {
    const nodes = new Nodes({ urls });
    nodes.prefer(1, 'GET', 300);
    nodes.prefer(0, 'GET', 60_000);
    await check(t, nodes, [
      [1_199, 1],
      [1, 2],
    ]);
  },
);

test.serial('X11: who was not waited for is known to take so long at least', async (t) => {
  const nodes = new Nodes({ urls });
  let answer = (): void => undefined;
  const one = (node: number): Promise<number> =>
    new Promise((resolve) => {
      if (node === 0) answer = () => resolve(node);
    });
  const begun = performance.now();
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const answers = attempts(nodes, 'GET', new AbortController().signal, one);
  const first = answers.next();
  mock.timers.tick(800);
  await turn();
  answer();
  t.is((await first).value?.node, 0);
  while (performance.now() < begun + 5) await turn();
  await answers.return();
  t.is(nodes.usualMs(0, 'GET'), 0, 'its answer has not held');
  t.true(nodes.usualMs(1, 'GET') > 0);
  t.is(nodes.usualMs(2, 'GET'), 0);
});
