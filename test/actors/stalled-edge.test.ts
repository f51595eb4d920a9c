/** What a client of the HTTP edge sees, and what the node holds, while an actor thread is stalled. */
import test from 'ava';
import { newSeed, transfers, workloadOf } from '../../bench/workload.ts';
import { BINDINGS } from '../http/start.ts';
import { silent, testEdge } from '../http/test-node.ts';
import { startHttp } from '../../src/http/server.ts';
import { ORDERS } from './orders.ts';
import { TestSystem } from './system.ts';

const KIB = 1024;
const SUBMISSION_BYTES = 16 * KIB;
/** 320 MiB of submissions. */
const SUBMISSIONS = 20_000;
const HELD_BYTES_MAX = 16 * KIB * KIB;

for (const binding of BINDINGS) {
  test(`a stalled thread: bounded memory, and 503 with Retry-After (${binding})`, async (t) => {
    const system = await new TestSystem(t, 2).start();
    const { port, edge } = testEdge(true);
    port.submit = (bytes) => system.requests.submit(bytes);
    const http = await startHttp({ edge, host: '127.0.0.1', httpPort: 0, logger: silent, binding });
    t.teardown(async () => {
      await http.close(100);
      edge.close();
    });

    void system.submit(ORDERS.stallTransaction);
    let refused = 0;
    for (let at = 0; at < SUBMISSIONS; at++) {
      void system.submit(ORDERS.pass, SUBMISSION_BYTES).then(() => refused++);
      if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
    const held = SUBMISSIONS - refused;
    t.true(held > 100, 'what fits was taken');
    t.true(held * SUBMISSION_BYTES <= HELD_BYTES_MAX, `${held} are held`);

    const [submission] = transfers(workloadOf(newSeed(port.cluster.id, 1, 2)), {
      first: 0,
      count: 1,
      perSubmission: 1,
    });
    const answer = await fetch(`http://127.0.0.1:${http.port}/api/v11/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.althing.submission' },
      body: submission!,
    });
    t.is(answer.status, 503);
    t.true(Number(answer.headers.get('retry-after')) >= 1);
    const problem = (await answer.json()) as { readonly code: string };
    t.is(problem.code, 'overloaded');
  });
}
