import test from 'ava';
import fc from 'fast-check';
import type { EdgeLogger } from '../../src/edge/logger.ts';
import { RawClient, type RawAnswer } from './raw-client.ts';
import { BINDINGS, start, type Started } from './start.ts';
import { silent } from './test-node.ts';

const POST = 'POST /api/v11/transactions HTTP/1.1\r\nhost: localhost\r\n';
const JSON_HEAD = `${POST}content-type: application/json\r\n`;

async function ask(
  { http }: Started,
  ...parts: (string | Uint8Array)[]
): Promise<RawAnswer | null> {
  const client = await RawClient.open(http.port);
  const answer = await client.send(...parts).answer();
  client.destroy();
  return answer;
}

async function alive(started: Started): Promise<boolean> {
  const answer = await ask(started, 'GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
  return answer?.status === 200;
}

const codeOf = (answer: RawAnswer | null): string | undefined =>
  answer === null ? undefined : (JSON.parse(answer.body) as { code: string }).code;

for (const binding of BINDINGS) {
  test(`${binding}: a body that does not come in time gets 408 and its connection is closed`, async (t) => {
    const { http } = await start(t, binding, { bodyLimits: { bodyMsMax: 50 } });
    const client = await RawClient.open(http.port);
    client.send(`${JSON_HEAD}content-length: 10\r\n\r\n{`);
    const answer = await client.answer();
    t.is(answer?.status, 408);
    t.is(codeOf(answer), 'body_too_slow');
    await client.closed();
    t.pass();
  });

  test(`${binding}: a body of which not one byte comes gets 408 and its connection is closed`, async (t) => {
    const { http } = await start(t, binding, { bodyLimits: { bodyMsMax: 50 } });
    for (const length of ['content-length: 10', 'transfer-encoding: chunked']) {
      const client = await RawClient.open(http.port);
      const answer = await client.send(`${JSON_HEAD}${length}\r\n\r\n`).answer();
      t.is(answer?.status, 408);
      t.is(codeOf(answer), 'body_too_slow');
      await client.closed();
    }
  });

  test(`${binding}: a request to upgrade is answered as any other, and a reset after it harms nothing`, async (t) => {
    const started = await start(t, binding);
    const upgrade = 'connection: Upgrade\r\nupgrade: websocket\r\n\r\n';
    const head = `GET /livez HTTP/1.1\r\nhost: localhost\r\n${upgrade}`;
    for (let times = 0; times < 20; times++) {
      const client = await RawClient.open(started.http.port);
      await client.sent(head);
      client.reset();
    }
    t.is((await ask(started, head))?.status, 200);
    const post = await ask(started, `${JSON_HEAD}content-length: 2\r\n${upgrade}`, '{}');
    t.is(codeOf(post), 'malformed');
    t.true(await alive(started));
  });

  test(`${binding}: an oversized body is drained and gets a readable 413`, async (t) => {
    const started = await start(t, binding);
    const body = Buffer.alloc(5_000_000, 32);
    const answer = await ask(started, `${JSON_HEAD}content-length: ${body.length}\r\n\r\n`, body);
    t.is(answer?.status, 413);
    t.is(codeOf(answer), 'too_large');
  });

  test(`${binding}: an oversized chunked body gets a readable 413`, async (t) => {
    const started = await start(t, binding);
    const head = `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`;
    const body = Buffer.alloc(0x500000, 32);
    const answer = await ask(started, head, '500000\r\n', body, '\r\n0\r\n\r\n');
    t.is(answer?.status, 413);
  });

  test(`${binding}: the connection can be used again after an oversized body`, async (t) => {
    const { http } = await start(t, binding);
    const client = await RawClient.open(http.port);
    const body = Buffer.alloc(5_000_000, 32);
    client.send(`${JSON_HEAD}content-length: ${body.length}\r\n\r\n`, body);
    t.is((await client.answer())?.status, 413);
    t.is(
      (await client.send('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n').answer())?.status,
      200,
    );
    client.destroy();
  });

  test(`${binding}: a body that would never end is not drained without end`, async (t) => {
    const started = await start(t, binding, { bodyLimits: { drainBytesMax: 100_000 } });
    const answer = await ask(
      started,
      `${JSON_HEAD}content-length: 900000\r\n\r\n`,
      Buffer.alloc(100, 32),
    );
    t.is(answer?.status, 413);
    t.true(await alive(started));
  });

  test(`${binding}: too much arriving at once is refused with a time to retry`, async (t) => {
    const started = await start(t, binding, { bodyLimits: { pendingBytesMax: 1_000 } });
    const answer = await ask(
      started,
      `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`,
      `1000\r\n${' '.repeat(0x1000)}\r\n0\r\n\r\n`,
    );
    t.is(answer?.status, 503);
    t.is(codeOf(answer), 'busy');
    t.truthy(answer?.headers.get('retry-after'));
  });

  // H9
  test(`${binding}: a body takes its room until its request has its outcome`, async (t) => {
    const limits = { bodyLimits: { pendingBytesMax: 150 } };
    const started = await start(t, binding, { devMode: true, ...limits });
    const body = JSON.stringify({ module: 'kv', command: 'set', args: KV_SET });
    const request = `${JSON_HEAD}content-length: ${body.length}\r\n\r\n${body}`;
    started.port.hold();
    const submitting = started.port.submitting();
    const first = (await RawClient.open(started.http.port)).send(request);
    await submitting;
    const refused = await ask(started, request);
    t.is(refused?.status, 503);
    t.is(codeOf(refused), 'busy');
    started.port.release();
    t.is((await first.answer())?.status, 200);
    t.is((await ask(started, request))?.status, 200);
    first.destroy();
  });

  // H2
  test(`${binding}: two content lengths are refused and the connection is closed`, async (t) => {
    const { http } = await start(t, binding);
    const client = await RawClient.open(http.port);
    client.send(`${JSON_HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `);
    t.is((await client.answer())?.status, 400);
    await client.closed();
  });

  // H1
  test(`${binding}: a client that goes away before its answer harms nothing`, async (t) => {
    const failures: string[] = [];
    const logger: EdgeLogger = { ...silent, error: (_, message) => void failures.push(message) };
    const started = await start(t, binding, { devMode: true, logger });
    started.port.hold();
    const body = JSON.stringify({ module: 'kv', command: 'set', args: KV_SET });
    const client = await RawClient.open(started.http.port);
    client.send(`${JSON_HEAD}content-length: ${body.length}\r\n\r\n${body}`);
    await started.port.submitting();
    client.destroy();
    t.true(await alive(started));
    started.port.release();
    t.true(await alive(started));
    t.deepEqual(failures, []);
  });

  // H3
  test(`${binding}: a client that goes away in the middle of a body harms nothing`, async (t) => {
    const started = await start(t, binding);
    const client = await RawClient.open(started.http.port);
    client.send(`${JSON_HEAD}content-length: 1000\r\n\r\n{"module":`);
    client.destroy();
    t.true(await alive(started));
  });

  test(`${binding}: any path, query and header value gets an answer or an end`, async (t) => {
    const started = await start(t, binding);
    const printable = fc.string({
      unit: fc.constantFrom(...'/%:;?&=+.aZ0-_~"<>\\^`{|}#@!$\'()*,'.split('')),
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(printable, printable, printable, async (path, query, value) => {
        const head = `GET /${path}?${query} HTTP/1.1\r\nhost: localhost\r\naccept: ${value}\r\n`;
        const trace = `traceparent: ${value}\r\nauthorization: ${value}\r\n\r\n`;
        const answer = await ask(started, head + trace);
        t.true(answer !== null && answer.status >= 200 && answer.status < 500);
      }),
      { numRuns: 150 },
    );
  });

  test(`${binding}: any body in any format gets a clear refusal`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    const types = ['application/json', 'application/msgpack', 'application/vnd.althing.submission'];
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...types), body, async (type, bytes) => {
        const head = `${POST}content-type: ${type}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
        const answer = await ask(started, head, bytes);
        t.true(answer !== null && answer.status >= 400 && answer.status < 500);
        t.is(typeof codeOf(answer), 'string');
        t.notRegex(answer?.body ?? '', /\.(?:js|ts):\d+/);
      }),
      { numRuns: 200 },
    );
  });

  test(`${binding}: any bytes at all leave the server serving`, async (t) => {
    const started = await start(t, binding);
    const clients: RawClient[] = [];
    for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), 100)) {
      clients.push((await RawClient.open(started.http.port)).send(bytes));
    }
    t.true(await alive(started));
    for (const client of clients) client.destroy();
    t.true(await alive(started));
  });
}

const KV_SET = { namespace: 'n', key: 'k', value: 'v' };
