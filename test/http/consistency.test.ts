/** How reads of state are to be answered: reflecting all that is final anywhere. */
import test from 'ava';
import { BINDINGS, start } from './start.ts';
import { API_TOKEN } from './test-node.ts';

const headers = { 'content-type': 'application/json', authorization: `Bearer ${API_TOKEN}` };

const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { code: string }).code;

async function put(url: string, value: unknown): Promise<void> {
  const body = JSON.stringify(value);
  await fetch(`${url}/api/v11/kv/n/k`, { method: 'PUT', headers, body });
}

for (const binding of BINDINGS) {
  test(`${binding}: a linearizable read waits until a quorum confirmed it, and tells the height`, async (t) => {
    const started = await start(t, binding);
    await put(started.url, 1);
    const read = (): Promise<Response> =>
      fetch(`${started.url}/api/v11/kv/n/k?consistency=linearizable`);
    const first = await read();
    t.is(first.headers.get('x-althing-height'), '2', 'after a block that began later');
    t.like(await first.json(), { value: 1 });
    started.port.hold();
    const reads = [read(), read()];
    t.is(await Promise.race([...reads, settled()]), 'nothing yet');
    started.port.release();
    for (const answer of await Promise.all(reads)) t.is(answer.status, 200);
    const { port } = started;
    port.peersConnected = [1];
    const alone = await read();
    t.deepEqual([alone.status, await codeOf(alone)], [503, 'no_quorum']);
    t.is(alone.headers.get('retry-after'), '1');
    t.is((await fetch(`${started.url}/api/v11/kv/n/k`)).status, 200);
  });

  test(`${binding}: what nobody confirmed, or was lost since, is 503 and no answer`, async (t) => {
    const { url, port } = await start(t, binding);
    const confirm = (code: string) => () =>
      Promise.resolve({ height: 0, result: { ok: false, code, message: 'not now' } } as const);
    for (const code of ['no_quorum', 'overloaded', 'catching_up', 'draining']) {
      port.confirm = confirm(code);
      const answer = await fetch(`${url}/api/v11/ledger/supply?consistency=linearizable`);
      t.deepEqual([answer.status, await codeOf(answer)], [503, code]);
      t.is(answer.headers.get('retry-after'), '1');
    }
    // The actors started again between the confirmation and the read, and have less than that.
    port.confirm = () => Promise.resolve({ height: 7, result: { ok: true, value: null } });
    const below = await fetch(`${url}/api/v11/ledger/supply?consistency=linearizable`);
    t.deepEqual([below.status, await codeOf(below)], [503, 'catching_up']);
  });
}

/** Later than what is answered at once. */
function settled(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing yet'), 50));
}
