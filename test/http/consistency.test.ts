/** How reads of state are to be answered: reflecting all that is final anywhere. */
import test from 'ava';
import { BINDINGS, start } from './start.ts';
import { API_TOKEN, type TestPort } from './test-node.ts';

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
    const { port } = started;
    port.hold();
    const confirmed = countConfirmed(port);
    let answered = 0;
    const reads = [read(), read()].map((each) => each.finally(() => answered++));
    while (confirmed() < reads.length) await turn();
    // What came later and waits for nothing is answered meanwhile.
    t.is((await fetch(`${started.url}/api/v11/limits`)).status, 200);
    t.is(answered, 0);
    port.release();
    for (const answer of await Promise.all(reads)) t.is(answer.status, 200);
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

  test(`${binding}: reads of the past are answered from their height, of keys and by every query`, async (t) => {
    const { url } = await start(t, binding);
    for (const value of [1, 2, 3]) await put(url, value);
    const ask = (path: string): Promise<Response> => fetch(`${url}/api/v11/${path}`);
    for (const height of [1, 2, 3]) {
      const key = await ask(`kv/n/k?atHeight=${height}`);
      t.is(key.headers.get('x-althing-height'), String(height));
      t.is(key.headers.get('etag'), `"${height}"`);
      t.like(await key.json(), { value: height, version: height });
      const list = await ask(`kv/list?namespace=n&atHeight=${height}`);
      t.is(list.headers.get('x-althing-height'), String(height));
      t.is(list.status, 200);
    }
    const first = await ask('kv/n/k?atHeight=0');
    t.is(first.headers.get('x-althing-height'), '0');
    t.deepEqual([first.status, await codeOf(first)], [404, 'key_not_found']);
    const account = await ask('ledger/accounts/alice?atHeight=0');
    t.like(await account.json(), { balance: '1000' });
  });

  test(`${binding}: a height that is not there is refused, and says which are`, async (t) => {
    const { url, port } = await start(t, binding);
    await put(url, 1);
    const ask = async (query: string): Promise<readonly [number, string]> => {
      const answer = await fetch(`${url}/api/v11/ledger/supply?${query}`);
      t.is(answer.headers.get('retry-after'), null);
      return [answer.status, await codeOf(answer)];
    };
    t.deepEqual(await ask('atHeight=2'), [404, 'height_ahead']);
    for (const bad of ['', '-1', '1.0', 'latest', '99999999999999999999', '1&atHeight=1']) {
      t.is((await ask(`atHeight=${bad}`))[0], 400, bad);
    }
    t.deepEqual(await ask('atHeight=1&consistency=linear'), [400, 'unsupported_consistency']);
    const linearizable = 'consistency=linearizable';
    for (const two of [
      `atHeight=1&${linearizable}`,
      'atHeight=1&proof=1',
      `proof=1&${linearizable}`,
    ]) {
      t.deepEqual(await ask(two), [400, 'unsupported_parameter'], two);
    }
    t.is(
      (await fetch(`${url}/api/v11/ledger/supply?atHeight=1&consistency=finalized`)).status,
      200,
    );
    const message = 'the oldest height that can still be read here is 7';
    port.query = () =>
      Promise.resolve({ height: 9, result: { ok: false, code: 'height_pruned', message } });
    t.deepEqual(await ask('atHeight=1'), [410, 'height_pruned']);
  });
}

/** How many reads have come as far as to ask a quorum. */
function countConfirmed(port: TestPort): () => number {
  const confirm = port.confirm.bind(port);
  let count = 0;
  port.confirm = () => {
    count++;
    return confirm();
  };
  return () => count;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
