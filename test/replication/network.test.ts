import test from 'ava';
import type { Batch } from '../../protocols/replication/lane.ts';
import { tipOf, type Lab } from './lab.ts';
import { World } from './world.ts';

/** Every node seals a batch now and then for `ms`. */
function load(world: World, ms: number): void {
  for (let at = 0; at < ms; at += 20) {
    for (const node of world.honest) {
      world.after(at + Math.floor(world.random() * 20), () => node.seal(`tx ${node.self}/${at};`));
    }
  }
}

/** Runs until all that was durable in honest lanes is executed by all, or the time is over. */
function heal(world: World): void {
  Object.assign(world.weather, { loss: 0, delayMs: 5 });
  for (const node of world.honest) if (!node.up) node.start();
  for (let waited = 0; waited < 60_000 && !isDone(world); waited += 500) world.run(500);
  // What is not final or not certified is said again in this time (T3).
  world.run(1000);
}

function isDone(world: World): boolean {
  const [first] = world.honest;
  return world.honest.every(
    (node) =>
      node.executed.length === world.final.length &&
      node.executed.at(-1) === first!.executed.at(-1) &&
      durableOf(world).every((count, lane) => world.final.at(-1)?.cut[lane]?.seq === count - 1),
  );
}

const durableOf = (world: World): number[] =>
  world.honest.map((node) => node.log.stream(`lane-${node.self}`).length);

const transactions = (executed: readonly string[]): string[] =>
  executed.join(' ').match(/tx \d+\/\d+;/g) ?? [];

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`I75, I79: through loss, reordering and crashes all hold and execute the same, seed ${seed}`, (t) => {
    const world = new World(seed);
    Object.assign(world.weather, { loss: 0.1, delayMs: 30 });
    load(world, 3000);
    for (let at = 300; at < 3000; at += 300) {
      const node = world.nodes[Math.floor(world.random() * 4)]!;
      world.after(at, () => node.crash());
      world.after(at + 200, () => node.up || node.start());
    }
    world.run(3100);
    heal(world);
    t.true(isDone(world));
    const [first] = world.nodes;
    t.true(transactions(first!.executed).length > 200);
    t.is(new Set(transactions(first!.executed)).size, transactions(first!.executed).length);
    for (const node of world.nodes) t.deepEqual(node.executed, first!.executed);
    t.deepEqual(world.faults, []);
    t.is(world.nodes[1]!.agreed?.height, Math.floor(world.final.length / 16) * 16);
  });
}

test('I79: a node that was away for long catches up, live and after a crash on the way', (t) => {
  const world = new World(11);
  const away = world.nodes[3]!;
  load(world, 6000);
  world.run(500);
  away.crash();
  world.run(4000);
  away.start();
  world.run(60);
  away.crash();
  away.start();
  world.run(2000);
  heal(world);
  t.true(isDone(world));
  t.true(world.final.length > 64);
  t.deepEqual(away.executed, world.nodes[0]!.executed);
});

/** Validator 3 signs two branches of its lane: one for node 0, the other for nodes 1 and 2. */
function equivocate(world: World, lab: Lab): void {
  const branches: Batch[][] = [[], []];
  for (let at = 0; at < 40; at++) {
    world.after(25 * at, () => {
      branches.forEach((branch, of) =>
        branch.push(lab.batch(3, branch.at(-1), `fork ${of}/${at};`)),
      );
      [0, 1, 2].forEach((to) => {
        const batch = branches[to === 0 ? 0 : 1]!.at(-1)!;
        world.lie(3, to, { kind: 'batch', header: batch.header }, batch.payload);
        const marks = lab.marks(3, lab.cut({ 3: tipOf(branches[1]!.at(-1)) }));
        world.lie(3, to, { kind: 'marks', marks });
      });
    });
  }
}

for (const seed of [21, 22]) {
  test(`I71: an owner that equivocates and serves nobody gets one version executed, seed ${seed}`, (t) => {
    const world = new World(seed, [3]);
    load(world, 1000);
    equivocate(world, world.lab);
    world.run(1200);
    world.nodes[0]!.crash();
    heal(world);
    t.true(isDone(world));
    const [zero, one, two] = world.honest;
    t.deepEqual(zero!.executed, one!.executed);
    t.deepEqual(two!.executed, one!.executed);
    const versions = new Set(one!.executed.join(' ').match(/fork \d/g));
    t.deepEqual([...versions], ['fork 1']);
    t.true(world.faults.includes('3 lane_equivocation'));
    t.true(zero!.log.stream('evidence-3').some(({ kind }) => kind === 'equivocationFound'));
  });
}

test('a lane whose owner shows its batches to too few stays out, the others go on', (t) => {
  const world = new World(31, [3]);
  load(world, 1000);
  const batches = world.lab.batches(3, 10, 'withheld');
  for (const batch of batches) {
    world.lie(3, 0, { kind: 'batch', header: batch.header }, batch.payload);
  }
  world.run(1200);
  heal(world);
  t.true(isDone(world));
  t.is(world.final.at(-1)!.cut[3]!.seq, -1);
  t.true(transactions(world.nodes[0]!.executed).length > 100);
});
