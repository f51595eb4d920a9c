/** Four real processes under load, while their leader is killed, paused and started again. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { Cluster } from '../../bench/cluster.ts';
import { assertAgreement } from './agreement.ts';
import { executedBy, ledBy, Load, replaced, statusOf, type Led } from './load.ts';
import { newFolder } from '../folder.ts';

const test = anyTest as TestFn<{ cluster: Cluster }>;
const BETWEEN = 100;
/** A client that retries has its answer by then, whatever happens to one node and however busy the machine. */
const ANSWERED_MS = 60_000;

test.before(async (t) => {
  const folder = newFolder('faults');
  t.context.cluster = await Cluster.create({ folder, dev: true });
  await t.context.cluster.start();
});

test.after.always(async (t) => {
  await t.context.cluster.close();
});

/** A node that is not the one named. */
const other = (node: number): number => (node + 1) % 4;

async function underLoad(
  t: ExecutionContext<{ cluster: Cluster }>,
  disturb: (cluster: Cluster, load: Load, led: Led) => Promise<void>,
): Promise<void> {
  const { cluster } = t.context;
  const load = await new Load(cluster).start();
  await load.more(BETWEEN);
  await disturb(cluster, load, await ledBy(cluster, 0));
  await load.more(BETWEEN);
  await load.stop();
  t.true(load.longestMs < ANSWERED_MS, `a client asked for ${load.longestMs} ms`);
  await assertAgreement(t, cluster, load);
}

/** No node wrote a record of level error or worse. */
function assertNoErrors(t: ExecutionContext, cluster: Cluster): void {
  for (let node = 0; node < cluster.size; node++) {
    const lines = readFileSync(cluster.logFile(node), 'utf8').split('\n').filter(Boolean);
    const bad = lines.filter((line) => /"level":"(?:error|fatal)"/.test(line));
    t.deepEqual(bad, [], cluster.id(node));
  }
}

test.serial(
  'a leader killed under load is replaced, comes back, and nothing told is lost',
  async (t) => {
    await underLoad(t, async (cluster, load, led) => {
      const { leader } = led;
      await cluster.end(leader, 'SIGKILL');
      await load.more(BETWEEN);
      await replaced(cluster, other(leader), led);
      const { executedHeight } = await statusOf(cluster, other(leader));
      await cluster.start([leader]);
      await executedBy(cluster, leader, executedHeight);
    });
    assertNoErrors(t, t.context.cluster);
  },
);

test.serial('a leader paused past its timeout finds itself replaced, and follows', async (t) => {
  await underLoad(t, async (cluster, load, led) => {
    const { leader } = led;
    cluster.kill(leader, 'SIGSTOP');
    await replaced(cluster, other(leader), led);
    await load.more(BETWEEN);
    cluster.kill(leader, 'SIGCONT');
    const { executedHeight } = await statusOf(cluster, other(leader));
    await executedBy(cluster, leader, executedHeight);
    while ((await ledBy(cluster, leader)).term <= led.term) await pause(50);
  });
  assertNoErrors(t, t.context.cluster);
});

test.serial('a node that was away catches up with what it missed', async (t) => {
  await underLoad(t, async (cluster, load, { leader }) => {
    const away = other(leader);
    await cluster.end(away, 'SIGKILL');
    await load.more(3 * BETWEEN);
    const { executedHeight } = await statusOf(cluster, leader);
    await cluster.start([away]);
    await executedBy(cluster, away, executedHeight);
  });
  assertNoErrors(t, t.context.cluster);
});

test.serial('a leader that drains hands over, ends with 0, and no client notices', async (t) => {
  await underLoad(t, async (cluster, load, led) => {
    const { leader } = led;
    t.is(await cluster.end(leader, 'SIGTERM'), 0);
    await load.more(BETWEEN);
    await replaced(cluster, other(leader), led);
    await cluster.start([leader]);
  });
  assertNoErrors(t, t.context.cluster);
});

test.serial('the whole cluster killed at once goes on from its logs', async (t) => {
  const { cluster } = t.context;
  const load = await new Load(cluster).start();
  await load.more(BETWEEN);
  const nodes = Array.from({ length: cluster.size }, (_, node) => node);
  await Promise.all(nodes.map((node) => cluster.end(node, 'SIGKILL')));
  await cluster.start();
  await load.more(BETWEEN);
  await load.stop();
  await assertAgreement(t, cluster, load);
  assertNoErrors(t, cluster);
});
