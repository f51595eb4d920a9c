/** Keys as resources: what the routes of the `kv` module add to its commands and queries. */
import test from 'ava';
import { BINDINGS, start, type Started } from './start.ts';
import { API_TOKEN, client } from './test-node.ts';

const bearer = { authorization: `Bearer ${API_TOKEN}` };

function ask(
  { url }: Started,
  method: string,
  path: string,
  more: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  const body = more.body === undefined ? {} : { body: JSON.stringify(more.body) };
  const headers = { ...bearer, 'content-type': 'application/json', ...more.headers };
  return fetch(`${url}/api/v11/kv/${path}`, { method, headers, ...body });
}

async function send(started: Started, command: string, args: object): Promise<unknown> {
  const answer = await fetch(`${started.url}/api/v11/transactions`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: JSON.stringify({ module: 'kv', command, args }),
  });
  const { receipts } = (await answer.json()) as { receipts: object[] };
  return receipts[0];
}

for (const binding of BINDINGS) {
  test(`${binding}: a write tells the key's revisions, a delete that of the namespace`, async (t) => {
    const started = await start(t, binding);
    const written = await ask(started, 'PUT', 'n/k', { body: 1 });
    t.like(await written.json(), {
      namespace: 'n',
      key: 'k',
      createRevision: 1,
      modRevision: 1,
      version: 1,
      exactlyOnce: false,
    });
    const again = await ask(started, 'PUT', 'n/k', { body: { a: 2 } });
    t.is(again.headers.get('etag'), '"2"');
    t.like(await again.json(), { createRevision: 1, modRevision: 2, version: 2 });
    const removed = await ask(started, 'DELETE', 'n/k');
    t.is(removed.headers.get('etag'), null);
    t.like(await removed.json(), { namespace: 'n', key: 'k', revision: 3, deleted: 1 });
  });

  test(`${binding}: a tag that a deleted key had is never that of a later one`, async (t) => {
    const started = await start(t, binding);
    await ask(started, 'PUT', 'n/k', { body: 1 });
    await ask(started, 'DELETE', 'n/k');
    const anew = await ask(started, 'PUT', 'n/k', { body: 1, headers: { 'if-none-match': '*' } });
    t.is(anew.headers.get('etag'), '"3"');
    const late = await ask(started, 'PUT', 'n/k', { body: 2, headers: { 'if-match': '"1"' } });
    t.is(late.status, 412);
    t.like(await late.json(), { code: 'revision_mismatch', field: 'If-Match' });
  });

  test(`${binding}: HEAD says whether a key exists, with its tag`, async (t) => {
    const started = await start(t, binding);
    t.is((await ask(started, 'HEAD', 'n/k')).status, 404);
    await ask(started, 'PUT', 'n/k', { body: 1 });
    const head = await ask(started, 'HEAD', 'n/k');
    t.is(head.status, 200);
    t.is(head.headers.get('etag'), '"1"');
    const same = await ask(started, 'HEAD', 'n/k', { headers: { 'if-none-match': '"1"' } });
    t.is(same.status, 304);
  });

  test(`${binding}: a key can be given a time to live, or a lease`, async (t) => {
    const started = await start(t, binding);
    const own = await ask(started, 'PUT', 'n/a?ttlMs=3600000&wait=finalized', { body: 1 });
    t.like(await own.json(), { lease: 'n/a' });
    t.like(await (await ask(started, 'GET', 'n/a')).json(), { lease: 'n/a' });
    await send(started, 'grantLease', { lease: 'session', ttlMs: 3_600_000 });
    const leased = await ask(started, 'PUT', 'n/b?lease=session', { body: 1 });
    t.like(await leased.json(), { lease: 'session' });
    await send(started, 'revokeLease', { lease: 'session' });
    t.is((await ask(started, 'GET', 'n/b')).status, 404);
    t.is((await ask(started, 'GET', 'n/a')).status, 200);
  });

  test(`${binding}: refuses lifetimes that are none, and where they make no sense`, async (t) => {
    const started = await start(t, binding);
    const codeOf = async (method: string, path: string) => {
      const answer = await ask(started, method, path, method === 'PUT' ? { body: 1 } : {});
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    t.deepEqual(await codeOf('PUT', 'n/k?ttlMs=soon'), [400, 'malformed']);
    t.deepEqual(await codeOf('PUT', 'n/k?ttlMs=0'), [422, 'invalid_args']);
    t.deepEqual(await codeOf('PUT', 'n/k?lease=a%2Fb'), [422, 'invalid_args']);
    t.deepEqual(await codeOf('PUT', 'n/k?lease=none'), [422, 'lease_not_found']);
    t.deepEqual(await codeOf('PUT', 'n/k?lease=none&ttlMs=5'), [422, 'two_leases']);
    t.deepEqual(await codeOf('PUT', 'n/k?ttl=5'), [400, 'unknown_parameter']);
    t.deepEqual(await codeOf('DELETE', 'n/k?ttlMs=5'), [400, 'unknown_parameter']);
    t.deepEqual(await codeOf('GET', 'n/k?ttlMs=5'), [400, 'unknown_parameter']);
    t.is((await ask(started, 'GET', 'n/k')).status, 404);
  });

  test(`${binding}: a namespace of another is refused, and so is what it has no room for`, async (t) => {
    const started = await start(t, binding);
    const writers = [`key:${client.publicKey}`];
    t.like(await send(started, 'claim', { namespace: 'mine', writers }), { status: 'ok' });
    t.is((await ask(started, 'PUT', 'mine/k', { body: 1 })).status, 200, 'the token owns it');
    const large = await ask(started, 'PUT', 'n/k', { body: 'x'.repeat(70_000) });
    t.is(large.status, 413);
    t.is((await ask(started, 'GET', 'n/k')).status, 404);
  });

  test(`${binding}: of writers that read the same tag exactly one writes in each round`, async (t) => {
    const started = await start(t, binding);
    await ask(started, 'PUT', 'n/k', { body: 0 });
    for (let round = 1; round <= 5; round++) {
      const read = await ask(started, 'GET', 'n/k');
      const tag = read.headers.get('etag') ?? '';
      const answers = await Promise.all(
        Array.from({ length: 8 }, () =>
          ask(started, 'PUT', 'n/k', { body: round, headers: { 'if-match': tag } }),
        ),
      );
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      t.deepEqual(statuses, [200, ...Array<number>(7).fill(412)]);
    }
    t.like(await (await ask(started, 'GET', 'n/k')).json(), { value: 5, version: 6 });
  });
}
