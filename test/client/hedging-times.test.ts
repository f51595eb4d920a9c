/** When the next node is asked, by a clock of the test's own. */
import { setImmediate as turn } from 'node:timers/promises';
import { mock } from 'node:test';
import test from 'ava';
import { attempts } from '../../src/client/hedging.ts';
import { Nodes } from '../../src/client/nodes.ts';

test('X11: each further node is asked twice as late', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const nodes = new Nodes({ urls: ['http://a', 'http://b', 'http://c', 'http://d'] });
  const ends = new AbortController();
  let asked = 0;
  const silent = (): Promise<null> => {
    asked++;
    return new Promise(() => undefined);
  };
  const answers = attempts(nodes, 'GET', ends.signal, silent);
  const first = answers.next();
  for (const [ms, askedThen] of [
    [799, 1],
    [1, 2],
    [1_599, 2],
    [1, 3],
    [1_999, 3],
    [1, 4],
  ] as const) {
    mock.timers.tick(ms);
    await turn();
    t.is(asked, askedThen);
  }
  ends.abort();
  t.true((await first).done);
});
