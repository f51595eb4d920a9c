import test from 'ava';
import { GRPC_LIMITS, messageBytesMax, STANDARD_LIMITS } from '../../src/grpc/limits.ts';
import type { EdgeLogger } from '../../src/edge/logger.ts';
import type { ActorSystem } from '../../src/supervisor/actor-system.ts';
import { Requests } from '../../src/supervisor/requests.ts';
import { BINDINGS, start, type Started } from './start.ts';
import { API_TOKEN, silent } from './test-node.ts';

const bearer = { authorization: `Bearer ${API_TOKEN}` };
const asJson = { 'content-type': 'application/json', ...bearer };

function put(
  { url }: Started,
  path: string,
  value: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = JSON.stringify(value);
  return fetch(`${url}/api/v11/kv/${path}`, {
    method: 'PUT',
    headers: { ...asJson, ...headers },
    body,
  });
}

function remove(
  { url }: Started,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/api/v11/kv/${path}`, {
    method: 'DELETE',
    headers: { ...bearer, ...headers },
  });
}

const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { code: string }).code;

for (const binding of BINDINGS) {
  test(`${binding}: writes, reads and deletes a key by its path`, async (t) => {
    const started = await start(t, binding);
    const written = await put(started, 'shop/a%2Fb%20c', { price: 5, tags: ['x'] });
    t.is(written.status, 200);
    t.is(written.headers.get('etag'), '"1"');
    const read = await fetch(`${started.url}/api/v11/kv/shop/a%2Fb%20c`);
    t.is(read.headers.get('etag'), '"1"');
    t.like(await read.json(), { key: 'a/b c', value: { price: 5, tags: ['x'] }, modRevision: 1 });
    t.is((await remove(started, 'shop/a%2Fb%20c')).status, 200);
    t.is((await fetch(`${started.url}/api/v11/kv/shop/a%2Fb%20c`)).status, 404);
    t.is((await remove(started, 'shop/a%2Fb%20c')).status, 404);
  });

  test(`${binding}: a write at the wrong revision is 412 and changes nothing`, async (t) => {
    const started = await start(t, binding);
    t.is((await put(started, 'n/k', 1, { 'if-none-match': '*' })).status, 200);
    for (const [field, tag] of [
      ['If-None-Match', '*'],
      ['If-Match', '"7"'],
    ] as const) {
      const refused = await put(started, 'n/k', 2, { [field]: tag });
      t.is(refused.status, 412);
      t.like(await refused.json(), { field });
    }
    const second = await put(started, 'n/k', 2, { 'if-match': '"1"' });
    t.is(second.headers.get('etag'), '"2"');
    t.is((await remove(started, 'n/k', { 'if-match': '"1"' })).status, 412);
    t.like(await (await fetch(`${started.url}/api/v11/kv/n/k`)).json(), {
      value: 2,
      modRevision: 2,
    });
    t.is((await remove(started, 'n/k', { 'if-match': '"2"' })).status, 200);
  });

  test(`${binding}: a read with the ETag that it has already, in a list or weak, is 304`, async (t) => {
    const started = await start(t, binding);
    await put(started, 'n/k', 1);
    for (const [tag, status] of [
      ['"1"', 304],
      ['W/"1"', 304],
      ['"7", W/"1"', 304],
      ['*', 304],
      ['"11", W/"2"', 200],
      ['1', 200],
    ] as const) {
      const headers = { 'if-none-match': tag };
      const answer = await fetch(`${started.url}/api/v11/kv/n/k`, { headers });
      t.is(answer.status, status, tag);
      t.is((await answer.text()) === '', status === 304);
    }
  });

  test(`${binding}: refuses conditions and keys that make no sense`, async (t) => {
    const started = await start(t, binding);
    t.is((await put(started, 'n/k', 1, { 'if-match': '7' })).status, 400);
    t.is((await put(started, 'n/k', 1, { 'if-match': '"1"', 'if-none-match': '*' })).status, 400);
    t.is((await put(started, 'n/k', 1.5)).status, 422);
    t.is(await codeOf(await put(started, 'no%20space/k', 1)), 'invalid_args');
    t.is((await put(started, `n/${'k'.repeat(600)}`, 1)).status, 422);
    t.is((await put(started, 'n/%ff', 1)).status, 400);
  });

  test(`${binding}: a write of a key needs a credential, a read does not`, async (t) => {
    const started = await start(t, binding);
    const path = `${started.url}/api/v11/kv/n/k`;
    const headers = { 'content-type': 'application/json' };
    t.is((await fetch(path, { method: 'PUT', headers, body: '1' })).status, 401);
    t.is((await fetch(path, { method: 'DELETE' })).status, 401);
    t.is((await fetch(path)).status, 404);
  });

  test(`${binding}: an idempotency key holds for a key's write too`, async (t) => {
    const started = await start(t, binding);
    const once = { 'idempotency-key': 'w1' };
    const first = await (await put(started, 'n/k', 1, once)).json();
    t.deepEqual(await (await put(started, 'n/k', 1, once)).json(), first);
    t.is((await put(started, 'n/k', 2, once)).status, 422);
  });

  test(`${binding}: answers module queries with their height`, async (t) => {
    const { url } = await start(t, binding);
    const one = await fetch(`${url}/api/v11/ledger/accounts/alice`);
    t.like(await one.json(), { account: 'alice', balance: '1000' });
    t.is(one.headers.get('x-althing-height'), '0');
    const same = await fetch(`${url}/api/v11/ledger/account?account=alice&consistency=finalized`);
    t.like(await same.json(), { account: 'alice' });
    const page = await fetch(`${url}/api/v11/ledger/accounts?limit=1`);
    t.like(await page.json(), { accounts: { length: 1 }, next: 'alice' });
    t.is((await fetch(`${url}/api/v11/ledger/supply`)).status, 200);
  });

  test(`${binding}: refuses queries that do not exist or do not fit`, async (t) => {
    const { url } = await start(t, binding);
    const ask = async (path: string): Promise<readonly [number, string]> => {
      const answer = await fetch(`${url}/api/v11/${path}`);
      return [answer.status, await codeOf(answer)];
    };
    t.deepEqual(await ask('bank/accounts'), [404, 'unknown_module']);
    t.deepEqual(await ask('ledger/loans'), [404, 'unknown_query']);
    t.deepEqual(await ask('ledger/toString'), [404, 'unknown_query']);
    t.deepEqual(await ask('ledger/loans/1'), [404, 'unknown_query']);
    t.regex(
      await (await fetch(`${url}/api/v11/ledger/loans/1`)).text(),
      /ledger has no query loans; it has .*accounts/,
    );
    t.deepEqual(await ask('bank/loans/1'), [404, 'unknown_module']);
    t.deepEqual(await ask('ledger/account/1'), [404, 'unknown_query']);
    t.deepEqual(await ask('ledger/accounts/nobody'), [404, 'account_not_found']);
    t.deepEqual(await ask('ledger/accounts/%20'), [422, 'invalid_args']);
    t.deepEqual(await ask('ledger/accounts?limit=many'), [422, 'invalid_args']);
    t.deepEqual(await ask('ledger/accounts?size=1'), [422, 'invalid_args']);
    t.deepEqual(await ask('ledger/supply?consistency=linear'), [400, 'unsupported_consistency']);
  });

  test(`${binding}: every read offers finalized, those of state linearizable, and what is not there yet is refused by name`, async (t) => {
    const started = await start(t, binding);
    const { id } = (await (await put(started, 'n/k', 1)).json()) as { id: string };
    const ask = async (path: string, query: string): Promise<readonly [number, string]> => {
      const answer = await fetch(`${started.url}/api/v11/${path}?${query}`);
      return [answer.status, answer.status === 200 ? '' : await codeOf(answer)];
    };
    const ofState = ['kv/n/k', 'ledger/supply', 'ledger/accounts/alice'];
    for (const path of [...ofState, 'blocks/latest', `transactions/${id}`]) {
      t.deepEqual(await ask(path, 'consistency=finalized'), [200, ''], path);
      const isOfState = ofState.includes(path);
      const unsupported = isOfState ? ['linear', ''] : ['linearizable', 'linear', ''];
      if (isOfState) t.deepEqual(await ask(path, 'consistency=linearizable'), [200, ''], path);
      for (const other of unsupported) {
        t.deepEqual(
          await ask(path, `consistency=${other}`),
          [400, 'unsupported_consistency'],
          path,
        );
      }
      const past = isOfState ? [200, ''] : [400, 'unsupported_parameter'];
      t.deepEqual(await ask(path, 'atHeight=1'), past as [number, string], path);
      t.not((await ask(path, 'consistancy=finalized'))[0], 200, path);
    }
  });

  test(`${binding}: a read while the actors start again is 503 with a time to retry`, async (t) => {
    const { url, port } = await start(t, binding);
    const result = { ok: false, code: 'catching_up', message: 'ask again' } as const;
    port.query = () => Promise.resolve({ height: 0, result });
    const answer = await fetch(`${url}/api/v11/ledger/supply`);
    t.is(answer.status, 503);
    t.truthy(answer.headers.get('retry-after'));
  });

  test(`${binding}: shows final blocks by height with their certificates`, async (t) => {
    const started = await start(t, binding);
    t.is((await fetch(`${started.url}/api/v11/blocks/latest`)).status, 404);
    await put(started, 'n/k', 1);
    const latest = await fetch(`${started.url}/api/v11/blocks/latest`);
    const block = (await latest.json()) as { height: number; certificate: { votes: unknown[] } };
    t.is(block.height, 1);
    t.is(block.certificate.votes.length, 3);
    t.like(block, { executed: { height: 0 }, signature: '0'.repeat(128), txCount: 1 });
    t.is((await fetch(`${started.url}/api/v11/blocks/1`)).status, 200);
    t.is((await fetch(`${started.url}/api/v11/blocks/2`)).status, 404);
    for (const height of ['x', '-1', '1.0', '99999999999999999999']) {
      t.is((await fetch(`${started.url}/api/v11/blocks/${height}`)).status, 400, height);
    }
  });

  test(`${binding}: shows the state of consensus under the names that people know`, async (t) => {
    const started = await start(t, binding);
    await put(started, 'n/k', 1);
    const status = (await (
      await fetch(`${started.url}/api/v11/consensus/status`)
    ).json()) as object;
    t.like(status, {
      nodeId: 'validator-1',
      currentLeader: 'validator-1',
      term: 4,
      epoch: 0,
      state: 'LEADER',
      lastLogIndex: 1,
      commitIndex: 1,
      executedHeight: 1,
      executedTransactions: 1,
      votingEnabled: true,
      voting_enabled: true,
      quorum: 3,
      threads: 1,
    });
    t.like(status, { peers: { length: 3 }, finality: { samples: 1 } });
    started.port.draining = true;
    const later = await (await fetch(`${started.url}/api/v11/consensus/status`)).json();
    t.like(later, { votingEnabled: false, voting_enabled: false });
  });

  test(`${binding}: names its limits, its routes and its metrics`, async (t) => {
    const { url, port } = await start(t, binding);
    const limits = (await (await fetch(`${url}/api/v11/limits`)).json()) as { grpc: object };
    t.like(limits, { consensus: { transactionsPerSubmissionMax: 1000 } });
    const { submissionBytesMax } = port.cluster.genesis.limits;
    t.deepEqual(limits.grpc, {
      messageBytesMax: messageBytesMax(submissionBytesMax),
      ...GRPC_LIMITS,
      standard: STANDARD_LIMITS,
    });
    t.like(limits, { http: { nestingMax: 32, valuesMax: 100_000 } });
    const root = (await (await fetch(`${url}/`)).json()) as { routes: string[] };
    t.true(root.routes.includes('POST /api/v11/transactions'));
    t.like(root, { modules: { kv: { queries: { 0: 'get', 1: 'exists' } } } });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    t.regex(metrics, /^althing_up 1$/m);
    t.regex(metrics, /^althing_http_requests_total\{route="\/",status="200"\} 1$/m);
    t.regex(metrics, /_bucket\{route="\/",le="\+Inf"\} 1$/m);
  });

  test(`${binding}: returns a valid trace context and drops any other`, async (t) => {
    const { url } = await start(t, binding);
    const returned = async (traceparent: string): Promise<string | null> =>
      (await fetch(`${url}/livez`, { headers: { traceparent } })).headers.get('traceparent');
    const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    t.is(await returned(valid), valid);
    t.is(await returned(valid.toUpperCase()), null);
    t.is(await returned(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`), null);
    t.is(await returned('ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), null);
    t.is(await returned('x'), null);
  });

  test(`${binding}: HEAD has the headers of GET and no body`, async (t) => {
    const { url } = await start(t, binding);
    for (const path of [
      '/',
      '/metrics',
      '/api/v11/limits',
      '/api/v11/ledger/accounts/alice',
      '/no',
    ]) {
      const get = await fetch(url + path);
      const head = await fetch(url + path, { method: 'HEAD' });
      t.is(head.status, get.status, path);
      t.is(head.headers.get('content-type'), get.headers.get('content-type'), path);
      t.is(await head.text(), '', path);
    }
  });
}

for (const binding of BINDINGS) {
  test(`${binding}: reads beyond what the node has room for are told when to come back`, async (t) => {
    const { url, port } = await start(t, binding);
    const actors = { send: () => undefined, isFull: () => false } as unknown as ActorSystem;
    const limits = { askedMax: 3, waitingMax: 3, waitMsMax: 60_000 };
    const requests = new Requests(actors, () => undefined, limits);
    let asked = 0;
    const all = new Promise<void>((resolve) => {
      port.query = (read) => {
        if (++asked === limits.askedMax + limits.waitingMax) resolve();
        return requests.ask({ kind: 'query', ...read });
      };
    });
    const ask = () => fetch(`${url}/api/v11/kv/list?namespace=n`);
    const waiting = Array.from({ length: limits.askedMax + limits.waitingMax }, ask);
    await all;
    const refused = await ask();
    t.is(refused.status, 503);
    t.is(refused.headers.get('retry-after'), '1');
    t.is(await codeOf(refused), 'overloaded');
    requests.giveUp();
    for (const answer of await Promise.all(waiting)) t.is(answer.status, 503);
  });

  test(`${binding}: a block that the log does not give now is asked for again later, and no failure of the node`, async (t) => {
    const failures: string[] = [];
    const logger: EdgeLogger = { ...silent, error: (_, message) => void failures.push(message) };
    const { url, port } = await start(t, binding, { logger });
    let asked = 0;
    port.block = () => {
      asked++;
      return Promise.resolve('unavailable');
    };
    for (const writable of [true, false]) {
      port.writable = writable;
      const refused = await fetch(`${url}/api/v11/blocks/1`);
      t.is(refused.status, 503);
      t.is(refused.headers.get('retry-after'), '1');
      t.is(await codeOf(refused), 'log_unavailable');
    }
    t.is(asked, 1, 'nothing waits for a log that is known to be away');
    t.deepEqual(failures, []);
  });
}
