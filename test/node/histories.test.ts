/**
 * Histories of shared keys and rounds stay linearizable while real nodes are killed. Three kills, or as
 * many as ALTHING_KILLS says: `ALTHING_KILLS=100 npx ava dist/test/node/histories.test.js --timeout 1h`.
 */
import test, { type ExecutionContext } from 'ava';
import { Cluster } from '../../bench/cluster.ts';
import { newFolder } from '../folder.ts';
import { Histories } from './histories.ts';
import { executedBy, ledBy } from './load.ts';

const KILLS = Number(process.env['ALTHING_KILLS'] ?? 3);
const BETWEEN = 40;

test('what clients were told of shared keys and rounds is one history, whoever is killed', async (t) => {
  const cluster = await Cluster.create({ folder: newFolder('histories'), dev: true });
  t.teardown(() => cluster.close());
  await cluster.start();
  const histories = new Histories(cluster, 1).start();
  await histories.more(BETWEEN);
  for (let kill = 0; kill < KILLS; kill++) {
    // Every second time the leader, as node 0 sees it; else one after the other.
    const victim = kill % 2 === 0 ? (await ledBy(cluster, 0)).leader : kill % cluster.size;
    await cluster.end(victim, 'SIGKILL');
    await histories.more(BETWEEN);
    await cluster.start([victim]);
    await histories.more(BETWEEN);
  }
  await histories.stop();
  const { done } = histories;
  const last = Math.max(...done.map(({ height }) => height));
  await executedBy(cluster, 0, last);
  t.is(await histories.complaint(), null);
  const commands = new Set(done.map(({ call }) => `${call.module}.${call.command}`));
  for (const command of ['kv.txn', 'kv.compareAndSet', 'voting.open', 'voting.cast']) {
    t.true(commands.has(command), command);
  }
  t.true(done.some(({ receipt }) => receipt.status === 'failed'));
  t.log(`${done.length} answers, heights to ${last}`);
  await assertNoOther(t, histories);
});

/** With one answer changed, or two exchanged, it is none. */
async function assertNoOther(t: ExecutionContext, histories: Histories): Promise<void> {
  const { done } = histories;
  const at = done.findIndex(({ receipt }) => receipt.status === 'ok');
  const operation = done[at]!;
  const error = { code: 'not_so', message: '' };
  done[at] = { ...operation, receipt: { ...operation.receipt, status: 'failed', error } };
  t.regex((await histories.complaint()) ?? '', /: not_so, expected /);
  done[at] = { ...operation, askedAt: Infinity, answeredAt: Infinity };
  t.regex((await histories.complaint()) ?? '', /was asked after .* was answered$/);
}
