/** The demonstration against nodes that are not there: small servers that answer as nodes would. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { demonstrate } from '../../src/dev/demonstration.ts';
import { LaunchFailure } from '../../src/dev/failure.ts';
import { planCluster, type ClusterPlan } from '../../src/dev/plan.ts';
import { initCluster } from '../../src/init/init.ts';
import { newFolder } from '../folder.ts';

type Answer = { readonly code: number; readonly body: unknown };
const OK = { code: 200, body: { height: 1, receipts: [{ status: 'ok' }] } };
const SETUP_SUBMISSIONS = 2;
const ALL_SUBMISSIONS = 202;

/** Four servers that agree on everything; submission `at` is answered as the function says. */
async function startNodes(
  t: ExecutionContext,
  plan: ClusterPlan,
  answerTo: (at: number) => Answer | null,
): Promise<ClusterPlan> {
  let submissions = 0;
  const answer = ({ url = '' }: IncomingMessage): Answer | null => {
    if (url.endsWith('/status')) return { code: 200, body: { executedHeight: 1 } };
    if (url.includes('/accounts/')) return { code: 200, body: { balance: '1' } };
    return answerTo(submissions++);
  };
  const urls = await Promise.all(
    plan.nodes.map(async () => {
      const server: Server = createServer((request, response) => {
        const given = answer(request);
        request.resume();
        if (given !== null) response.writeHead(given.code).end(JSON.stringify(given.body));
      });
      t.teardown(() => server.closeAllConnections());
      t.teardown(() => server.close());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  return { ...plan, nodes: plan.nodes.map((node, at) => ({ ...node, url: urls[at]! })) };
}

async function run(
  t: ExecutionContext,
  answerTo: (at: number) => Answer | null,
  stop: AbortSignal,
): Promise<unknown> {
  const folder = newFolder('demonstration');
  const { clusterId } = await initCluster({ data: folder, nodes: 4, nowMs: Date.now() });
  const plan = await startNodes(t, planCluster(folder), answerTo);
  return demonstrate(plan, clusterId, stop, () => {});
}

test('a submission that is refused in the middle of the load fails the demonstration', async (t) => {
  const refused = { code: 400, body: { title: 'not like this' } };
  let seen = 0;
  const answerTo = (at: number): Answer => {
    seen = at;
    return at === SETUP_SUBMISSIONS + 5 ? refused : OK;
  };
  const begun = performance.now();
  const error = await t.throwsAsync(run(t, answerTo, new AbortController().signal), {
    instanceOf: LaunchFailure,
  });
  t.regex(error.message, /^The demonstration failed: .*not like this/);
  // They are sent at times of their own, which a process that stands still has pass all at once.
  const isLate = performance.now() - begun > 2_000;
  t.true(isLate || seen < ALL_SUBMISSIONS / 2, `${seen} were sent`);
});

test('a transaction that fails in the middle of the load fails the demonstration', async (t) => {
  const receipts = [{ status: 'failed', error: { code: 'x', message: 'no money' } }];
  const failed = { code: 200, body: { height: 1, receipts } };
  const answerTo = (at: number): Answer => (at === SETUP_SUBMISSIONS + 5 ? failed : OK);
  const error = await t.throwsAsync(run(t, answerTo, new AbortController().signal));
  t.regex(error.message, /failed at height 1: no money/);
});

test('an abort in the middle of the load ends it, also what was not answered', async (t) => {
  const abort = new AbortController();
  const answerTo = (at: number): Answer | null => {
    if (at < SETUP_SUBMISSIONS) return OK;
    if (at === SETUP_SUBMISSIONS + 5) abort.abort();
    return null;
  };
  await t.throwsAsync(run(t, answerTo, abort.signal), { instanceOf: LaunchFailure });
});
