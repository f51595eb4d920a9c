import test from 'ava';
import type { World } from '../world.ts';
import { at, Heights, play } from './scenario.ts';

const between = (a: readonly number[], b: readonly number[]): (readonly [number, number])[] =>
  a.flatMap((x) => b.flatMap((y) => [[x, y] as const, [y, x] as const]));

const crash = (world: World, validators: readonly number[], forMs: number): void => {
  for (const validator of validators) world.nodes[validator]?.crashFor(forMs);
};

for (const nodes of [1, 3, 4, 7, 10]) {
  test(`a cluster of ${nodes} finalises what its clients ask for (A1)`, (t) => {
    const { outcome } = play({ nodes });
    t.is(outcome.violation, null);
    t.true(outcome.finalHeight > 4);
  });
}

test('a crashed leader is replaced within half a second and comes back as a follower (A2, A6)', (t) => {
  const heights = new Heights();
  const { world, outcome } = play({
    observe: heights,
    arrange: (made) => at(made, 500, () => crash(made, [0], 900)),
  });
  t.is(outcome.violation, null);
  t.true(heights.nextAfter(505) < 500, `next block after ${heights.nextAfter(505)} ms`);
  t.true((world.nodes[0]?.machines?.consensus.status().term ?? 0) >= 1);
});

test('leaders that crash one after the other are all replaced (A6)', (t) => {
  const { outcome } = play({
    arrange(world) {
      [0, 1, 2, 3].forEach((leader, turn) =>
        at(world, 300 + turn * 350, () => crash(world, [leader], 300)),
      );
    },
  });
  t.is(outcome.violation, null);
  t.true((outcome.coverage['terms'] ?? 0) >= 2);
});

test('with f + 1 nodes down nothing becomes final, and all goes on when they are back (A3)', (t) => {
  const heights = new Heights();
  const { outcome } = play({
    observe: heights,
    arrange: (world) => at(world, 400, () => crash(world, [1, 2], 1_200)),
  });
  t.is(outcome.violation, null);
  t.is(heights.between(420, 1_600), 0);
  t.true(heights.between(1_600, 10_000) > 0);
});

test('two against two never commit, and agree when they meet again (A3)', (t) => {
  const heights = new Heights();
  const links = between([0, 1], [2, 3]);
  const { outcome } = play({
    observe: heights,
    arrange(world) {
      at(world, 400, () => world.network.cut(links));
      at(world, 1_700, () => world.network.mend(links));
    },
  });
  t.is(outcome.violation, null);
  t.is(heights.between(420, 1_700), 0);
});

test('a leader that only hears is replaced: links that work one way only (A6)', (t) => {
  const oneWay = [1, 2, 3].map((other) => [0, other] as const);
  const { outcome } = play({ arrange: (world) => at(world, 300, () => world.network.cut(oneWay)) });
  t.is(outcome.violation, null);
  t.true((outcome.coverage['terms'] ?? 0) >= 1);
});

test('all nodes lose power at once, and nothing that a client was told is lost (A6)', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { outcome } = play({
      seed,
      arrange: (world) => at(world, 200 + seed * 37, () => crash(world, [0, 1, 2, 3], 100)),
    });
    t.is(outcome.violation, null, `seed ${seed}`);
  }
});

test('a leader that drains hands over at once, without anybody losing patience (A6)', (t) => {
  const entered: number[] = [];
  const { outcome } = play({
    observe: {
      synced(node, events) {
        for (const { kind } of events) {
          if (kind === 'termEntered') entered.push(node.setup.scheduler.now / 1000);
        }
      },
    },
    arrange: (world) =>
      at(world, 500, () => world.nodes[0]?.deliver('consensus', { kind: 'drain' })),
  });
  t.is(outcome.violation, null);
  const later = entered.filter((ms) => ms > 500);
  t.is(later.length, 4);
  t.true(Math.max(...later) < 620, `entered the next term at ${later.join()} ms`);
});
