/** One command by its path: `POST /api/v11/{module}/{command}`. */
import test from 'ava';
import { toMsgpack } from '../../src/edge/representation.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { defineModule, Type } from '../../src/module.ts';
import { startHttp } from '../../src/http/server.ts';
import { BINDINGS, start } from './start.ts';
import { API_TOKEN, silent, testEdge } from './test-node.ts';

const bearer = { authorization: `Bearer ${API_TOKEN}` };

async function send(
  url: string,
  path: string,
  args: unknown,
  headers: Record<string, string> = bearer,
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const answer = await fetch(`${url}/api/v11/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(args),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as Record<string, unknown>,
    headers: answer.headers,
  };
}

for (const binding of BINDINGS) {
  test(`${binding}: a command is executed and answered with its receipt`, async (t) => {
    const { url } = await start(t, binding);
    const { status, body, headers } = await send(url, 'kv/set', {
      namespace: 'n',
      key: 'k',
      value: 5,
    });
    t.is(status, 200);
    t.like(body, { status: 'ok', result: { version: 1 }, height: 1, exactlyOnce: false });
    t.is(headers.get('x-althing-height'), '1');
    t.like(body['events'], { 0: { module: 'kv', name: 'set' } });
    const found = await fetch(`${url}/api/v11/transactions/${String(body['id'])}`);
    t.like(await found.json(), { status: 'ok', result: { version: 1 } });
  });

  test(`${binding}: a refusal says its code, its status and the transaction that it is`, async (t) => {
    const { url } = await start(t, binding);
    const absent = await send(url, 'kv/delete', { namespace: 'n', key: 'k' });
    t.is(absent.status, 404);
    t.like(absent.body, { code: 'key_not_found', height: 1 });
    const found = await fetch(`${url}/api/v11/transactions/${String(absent.body['id'])}`);
    t.like(await found.json(), { status: 'failed', error: { code: 'key_not_found' } });
    const refused = await send(url, 'ledger/open', { account: 'alice' });
    t.is(refused.status, 422);
    t.like(refused.body, { code: 'exists_with_different_owner', height: 2 });
  });

  test(`${binding}: what does not fit names the argument, and nothing reaches the node`, async (t) => {
    const { url, port } = await start(t, binding);
    const { status, body } = await send(url, 'ledger/transfer', {
      from: 'a',
      to: 'b',
      amount: 'x',
    });
    t.is(status, 422);
    t.like(body, { code: 'invalid_args', field: 'amount' });
    t.is(port.submitted, 0);
  });

  test(`${binding}: it takes msgpack, a key against running twice, and an early answer`, async (t) => {
    const { url } = await start(t, binding);
    const once = { ...bearer, 'idempotency-key': 'one' };
    const args = { account: 'carol' };
    const packed = await fetch(`${url}/api/v11/ledger/open`, {
      method: 'POST',
      headers: { ...once, 'content-type': 'application/msgpack' },
      body: toMsgpack(args) as Uint8Array<ArrayBuffer>,
    });
    const first = (await packed.json()) as { id: string };
    t.like(first, { status: 'ok', exactlyOnce: true });
    t.is((await send(url, 'ledger/open', args, once)).body['id'], first.id);
    const early = await send(url, 'ledger/open?wait=accepted', { account: 'dave' });
    t.is(early.status, 202);
    t.is(early.headers.get('location'), early.body['statusUrl'] as string);
  });

  test(`${binding}: the node signs it for nobody without a credential`, async (t) => {
    const { url, port } = await start(t, binding);
    t.is((await send(url, 'ledger/open', { account: 'x' }, {})).status, 401);
    t.is(
      (await send(url, 'ledger/open', { account: 'x' }, { authorization: 'Bearer no' })).status,
      403,
    );
    t.is(port.submitted, 0);
  });

  test(`${binding}: what is not there is 404 and says what is`, async (t) => {
    const { url } = await start(t, binding);
    for (const [path, code, says] of [
      ['ledger/steal', 'unknown_command', /open, .*transfer/],
      ['nope/open', 'unknown_module', /ledger/],
      ['ledger/__proto__', 'unknown_command', /open/],
    ] as const) {
      const { status, body } = await send(url, path, {});
      t.is(status, 404);
      t.is(body['code'], code);
      t.regex(String(body['detail']), says);
    }
    t.is((await send(url, 'ledger/account', {})).status, 405);
    t.is((await fetch(`${url}/api/v11/ledger/open`)).status, 405);
  });

  test(`${binding}: a module of another catalog has its routes, and no other, also after it changed`, async (t) => {
    const greeter = defineModule({
      name: 'greeter',
      version: 1,
      description: 'Greets.',
      commands: ({ command }) => ({
        greet: command(
          { description: 'Greets.', args: Type.Object({}), result: Type.String() },
          () => 'hello',
        ),
      }),
      queries: ({ query }) => ({
        name: query(
          { description: 'N.', args: Type.Object({ name: Type.String() }), result: Type.String() },
          (_, { name }) => name,
        ),
      }),
    });
    const { edge } = testEdge(false, [greeter]);
    const http = await startHttp({ edge, host: '127.0.0.1', httpPort: 0, logger: silent, binding });
    t.teardown(async () => {
      await http.close(1_000);
      edge.close();
    });
    const url = `http://127.0.0.1:${http.port}`;
    t.like((await send(url, 'greeter/greet', {})).body, { status: 'ok', result: 'hello' });
    t.is(await (await fetch(`${url}/api/v11/greeter/names/a%2Fb`)).json(), 'a/b');
    t.is((await send(url, 'ledger/open', {})).body['code'], 'unknown_module');
    const document = async (): Promise<string> => (await fetch(`${url}/openapi.json`)).text();
    t.true((await document()).includes('/api/v11/greeter/names/{name}'));
    t.false((await document()).includes('/api/v11/ledger'));
    edge.catalog = new ModuleCatalog(builtInModules);
    t.false((await document()).includes('/api/v11/greeter'));
    t.true((await document()).includes('/api/v11/ledger'));
    t.is((await send(url, 'greeter/greet', {})).body['code'], 'unknown_module');
  });
}
