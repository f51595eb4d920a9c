import test from 'ava';
import { signSubmission } from '../../protocols/transaction/submission.ts';
import { refusalProblem } from '../../src/edge/refusal-problems.ts';
import { RawClient } from './raw-client.ts';
import { BINDINGS, start, type Started } from './start.ts';
import { API_TOKEN, client } from './test-node.ts';

const PATH = '/api/v11/transactions';
const JSON_TYPE = 'application/json';
const SET = { module: 'kv', command: 'set', args: { namespace: 'n', key: 'k', value: 'v' } };

interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
}

async function refusal(
  { url }: Started,
  body: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': JSON_TYPE },
  query = '',
): Promise<ProblemBody> {
  const answer = await fetch(url + PATH + query, { method: 'POST', headers, body });
  const problem = (await answer.json()) as ProblemBody;
  if (answer.headers.get('content-type') !== 'application/problem+json')
    throw new Error('no problem');
  if (problem.status !== answer.status) throw new Error('two statuses');
  return problem;
}

/** Body, expected status, code and field. */
const BODIES: readonly (readonly [string, unknown, number, string, string | undefined])[] = [
  ['nothing', '', 400, 'malformed', undefined],
  ['a list', [], 400, 'malformed', undefined],
  ['text', '"hello"', 400, 'malformed', undefined],
  ['half an object', '{"module":"kv"', 400, 'malformed', undefined],
  ['a pollution attempt', '{"__proto__":{"module":"kv"}}', 400, 'malformed', undefined],
  ['no module', { command: 'set' }, 400, 'malformed', 'module'],
  ['a module that is a number', { module: 5, command: 'set' }, 400, 'malformed', 'module'],
  ['an unknown field', { ...SET, sender: 'me' }, 400, 'malformed', 'sender'],
  ['an unknown module', { ...SET, module: 'bank' }, 422, 'unknown_module', 'module'],
  ['an unknown command', { ...SET, command: 'steal' }, 422, 'unknown_command', 'command'],
  ['a name out of a prototype', { ...SET, command: 'toString' }, 422, 'unknown_command', 'command'],
  ['missing arguments', { ...SET, args: {} }, 422, 'invalid_args', 'args.namespace'],
  ['arguments of a wrong type', { ...SET, args: 7 }, 422, 'invalid_args', 'args'],
  ['an unknown argument', { ...SET, args: { ...SET.args, x: 1 } }, 422, 'invalid_args', 'args.x'],
  ['no transactions', { transactions: [] }, 400, 'malformed', 'transactions'],
  ['transactions in an object', { transactions: {} }, 400, 'malformed', 'transactions'],
  ['one bad transaction of two', { transactions: [SET, 1] }, 400, 'malformed', 'transactions[1]'],
  [
    'a bad argument in the second transaction',
    { transactions: [SET, { ...SET, args: { ...SET.args, key: '' } }] },
    422,
    'invalid_args',
    'transactions[1].args.key',
  ],
  [
    'too many transactions',
    { transactions: Array(1001).fill(SET) },
    413,
    'too_large',
    'transactions',
  ],
  [
    'a key without a signature',
    { transactions: [SET], client: 'a'.repeat(64) },
    400,
    'malformed',
    'seq',
  ],
  [
    'a signature that is not hex',
    { transactions: [SET], client: 'a'.repeat(64), seq: 1, signature: 'zz', validUntil: 1 },
    400,
    'malformed',
    'signature',
  ],
  [
    'a validity that is negative',
    { transactions: [SET], validUntil: -1 },
    400,
    'malformed',
    'validUntil',
  ],
  ['a validity in the past', { transactions: [SET], validUntil: 1 }, 410, 'expired', 'validUntil'],
  [
    'a validity beyond the bound',
    { transactions: [SET], validUntil: 9e15 },
    400,
    'valid_until_too_far',
    'validUntil',
  ],
];

for (const binding of BINDINGS) {
  for (const [name, body, status, code, field] of BODIES) {
    test(`${binding}: refuses ${name} with ${status} ${code}`, async (t) => {
      const started = await start(t, binding, { devMode: true });
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const problem = await refusal(started, text);
      t.is(problem.status, status);
      t.is(problem.code, code);
      t.is(problem.field, field);
      t.is(problem.type, `urn:althing:problem:${code}`);
      t.true(problem.detail.length > 0);
    });
  }

  test(`${binding}: refuses media types that it does not know, and says which it does`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    const text = JSON.stringify(SET);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      const problem = await refusal(started, text, { 'content-type': type });
      t.is(problem.status, 415);
      t.regex(problem.detail, /application\/json/);
    }
    const latin = { 'content-type': 'application/json; charset=latin1' };
    t.is((await refusal(started, text, latin)).status, 415);
    const zipped = { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' };
    t.is((await refusal(started, text, zipped)).status, 415);
    const accept = { 'content-type': JSON_TYPE, accept: 'text/html' };
    t.is((await refusal(started, text, accept)).status, 406);
  });

  test(`${binding}: takes content types with parameters and weighs what is accepted`, async (t) => {
    const { url } = await start(t, binding, { devMode: true });
    const ask = async (accept: string): Promise<string | null> => {
      const headers = { 'content-type': 'Application/JSON; charset="UTF-8"', accept };
      const answer = await fetch(url + PATH, {
        method: 'POST',
        headers,
        body: JSON.stringify(SET),
      });
      t.is(answer.status, 200);
      return answer.headers.get('content-type');
    };
    t.is(await ask('application/msgpack;q=0.5, application/json;q=0.9'), JSON_TYPE);
    t.is(await ask('application/msgpack, */*;q=0.1'), 'application/msgpack');
    t.is(await ask('application/*'), JSON_TYPE);
    t.is(await ask('application/json;q=0, */*'), 'application/msgpack');
  });

  test(`${binding}: refuses waits that make no sense`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    const headers = { 'content-type': JSON_TYPE };
    for (const query of [
      'wait=forever',
      'timeoutMs=0',
      'timeoutMs=-1',
      'timeoutMs=1e3',
      'timeoutMs=999999999',
      'wait=accepted&wait=finalized',
      'waitt=accepted',
      'wait=%zz',
    ]) {
      t.is((await refusal(started, JSON.stringify(SET), headers, `?${query}`)).status, 400, query);
    }
  });

  test(`${binding}: asks for a credential, and refuses a wrong one`, async (t) => {
    const started = await start(t, binding);
    const text = JSON.stringify(SET);
    const ask = async (authorization?: string): Promise<ProblemBody> =>
      refusal(started, text, {
        'content-type': JSON_TYPE,
        ...(authorization === undefined ? {} : { authorization }),
      });
    t.like(await ask(), { status: 401, code: 'credential_missing', field: 'Authorization' });
    t.is((await ask('Basic YWJj')).status, 401);
    t.is((await ask('Bearer')).status, 401);
    t.is((await ask('Bearer wrong')).status, 403);
    t.is((await ask(`Bearer ${API_TOKEN}x`)).status, 403);
    t.is((await ask(`Bearer ${API_TOKEN.slice(1)}`)).status, 403);
  });

  test(`${binding}: does not read the value of a key for who has no credential`, async (t) => {
    const { url } = await start(t, binding);
    const put = { method: 'PUT', headers: { 'content-type': JSON_TYPE }, body: '[not JSON' };
    t.is((await fetch(`${url}/api/v11/kv/n/k`, put)).status, 401);
  });

  test(`${binding}: says with 401 how to authenticate`, async (t) => {
    const { url } = await start(t, binding);
    const headers = { 'content-type': JSON_TYPE };
    const answer = await fetch(url + PATH, { method: 'POST', headers, body: JSON.stringify(SET) });
    t.regex(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
  });

  test(`${binding}: in dev mode a request under a name from elsewhere is refused, whatever it asks for`, async (t) => {
    const { http, port } = await start(t, binding, { devMode: true });
    const text = JSON.stringify(SET);
    const body = `content-type: ${JSON_TYPE}\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    const ask = async (line: string, host: string, rest = '\r\n'): Promise<number | undefined> => {
      const client = await RawClient.open(http.port);
      const answer = await client.send(`${line} HTTP/1.1\r\nhost: ${host}\r\n${rest}`).answer();
      client.destroy();
      return answer?.status;
    };
    const foreign = ['evil.example', `evil.example:${http.port}`, '10.0.0.1', 'localhost.evil', ''];
    for (const host of foreign) {
      t.is(await ask(`POST ${PATH}`, host, body), 421, host);
      t.is(await ask('GET /api/v11/ledger/supply', host), 421, host);
      t.is(await ask('GET /livez', host), 421, host);
    }
    t.is(port.submitted, 0);
    for (const host of [
      'localhost',
      `LocalHost:${http.port}`,
      '127.0.0.1:1',
      '127.1.2.3',
      '[::1]',
    ]) {
      t.is(await ask(`POST ${PATH}`, host, body), 200, host);
      t.is(await ask('GET /livez', host), 200, host);
    }
  });

  test(`${binding}: outside dev mode a node answers under any name`, async (t) => {
    const { http } = await start(t, binding);
    const client = await RawClient.open(http.port);
    client.send('GET /livez HTTP/1.1\r\nhost: node.example\r\n\r\n');
    t.is((await client.answer())?.status, 200);
    client.destroy();
  });

  test(`${binding}: in dev mode a wrong credential is still wrong`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    const headers = { 'content-type': JSON_TYPE, authorization: 'Bearer wrong' };
    t.is((await refusal(started, JSON.stringify(SET), headers)).status, 403);
  });

  test(`${binding}: refuses an idempotency key that is too long`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    const headers = { 'content-type': JSON_TYPE, 'idempotency-key': 'k'.repeat(300) };
    const problem = await refusal(started, JSON.stringify(SET), headers);
    t.like(problem, { status: 400, field: 'Idempotency-Key' });
  });

  test(`${binding}: refuses a submission for another cluster, and one cut short`, async (t) => {
    const started = await start(t, binding);
    const type = { 'content-type': 'application/vnd.althing.submission' };
    const bytes = signSubmission(
      {
        kind: 'client',
        clusterId: 'f'.repeat(64) as typeof started.port.cluster.id,
        key: client.publicKey,
        seq: 0,
        validUntil: Date.now() + 60_000,
        transactions: [SET],
      },
      client,
    );
    t.is((await refusal(started, bytes, type)).code, 'wrong_cluster');
    for (const length of [0, 1, 24, 57, 100, 150, bytes.length - 1]) {
      t.is((await refusal(started, bytes.slice(0, length), type)).status, 400, String(length));
    }
  });

  test(`${binding}: what a client sent is quoted in part only`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    const long = '💡'.repeat(50_000);
    for (const body of [
      { ...SET, [long]: 1 },
      { ...SET, args: { ...SET.args, [long]: 1 } },
      { ...SET, args: { ...SET.args, value: { [long]: 1.5 } } },
      `{"${long}":1,"${long}":2}`,
    ]) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const { detail, field = '' } = await refusal(started, text);
      t.true(detail.length <= 200 && field.length <= 200);
      t.regex(`${detail}${field}`, /💡…/u);
    }
  });

  test(`${binding}: answers 404 and 405 with what there is instead`, async (t) => {
    const { url } = await start(t, binding);
    t.is((await fetch(`${url}/api/v11/nothing/at/all`)).status, 404);
    t.is((await fetch(`${url}/favicon.ico`)).status, 404);
    const put = await fetch(url + PATH, { method: 'PUT', body: 'x' });
    t.is(put.status, 405);
    t.is(put.headers.get('allow'), 'POST');
    const del = await fetch(`${url}/q/health`, { method: 'DELETE' });
    t.is(del.headers.get('allow'), 'GET, HEAD');
  });

  // H4
  test(`${binding}: a failure inside the node shows nothing of the inside`, async (t) => {
    const logged: string[] = [];
    const logger = {
      info() {},
      warn() {},
      error: (fields: object) => void logged.push(String((fields as { err: Error }).err)),
    };
    const { url, port } = await start(t, binding, { logger });
    port.failing = true;
    const answer = await fetch(`${url}/metrics`);
    t.is(answer.status, 500);
    const text = await answer.text();
    t.false(text.includes('secret'));
    t.is((JSON.parse(text) as ProblemBody).code, 'internal');
    t.is(logged.length, 1);
    t.true(logged[0]?.includes('secret'));
  });
}

test('what executed, and has no receipts yet, is a matter of time', (t) => {
  const refused = { ok: false, code: 'receipts_pending', message: '', retryAfterMs: 100 } as const;
  t.like(refusalProblem(refused), { status: 503, retryAfterMs: 100 });
});
