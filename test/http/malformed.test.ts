/**
 * Requests that two readers could take for two things. Each carries a command that a node in dev mode
 * would execute: none may reach its route.
 */
import test from 'ava';
import { RawClient, type RawAnswer } from './raw-client.ts';
import { BINDINGS, start, type Started } from './start.ts';

const COMMAND = JSON.stringify({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key: 'k', value: 'v' },
});
const CHUNKED = `${COMMAND.length.toString(16)}\r\n${COMMAND}\r\n0\r\n\r\n`;
const LINE = 'POST /api/v11/transactions HTTP/1.1\r\n';
const HOST = 'host: localhost\r\n';
const TYPE = 'content-type: application/json\r\n';
const LENGTH = `content-length: ${COMMAND.length}\r\n`;
const CHUNKS = 'transfer-encoding: chunked\r\n';
const HEAD = LINE + HOST + TYPE;

const SOUND: readonly (readonly [string, string])[] = [
  ['a length', `${HEAD}${LENGTH}\r\n${COMMAND}`],
  ['chunks', `${HEAD}${CHUNKS}\r\n${CHUNKED}`],
];

/** What is wrong, the request, and the status on both bindings. */
const ANSWERED: readonly (readonly [string, string, number])[] = [
  ['two lengths that differ', `${HEAD}${LENGTH}content-length: 2\r\n\r\n${COMMAND}`, 400],
  ['two lengths alike', `${HEAD}${LENGTH}${LENGTH}\r\n${COMMAND}`, 400],
  ['an empty length', `${HEAD}content-length: \r\n\r\n${COMMAND}`, 400],
  ['two hosts', `${HEAD}host: other\r\n${LENGTH}\r\n${COMMAND}`, 400],
  ['chunks twice', `${HEAD}${CHUNKS}${CHUNKS}\r\n${CHUNKED}`, 400],
  ['a coding before chunks', `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n${CHUNKED}`, 501],
  ['a coding like chunks', `${HEAD}transfer-encoding: xchunked\r\n\r\n${CHUNKED}`, 501],
];

/** What uWebSockets.js closes in silence, and the status of the other binding. */
const CLOSED: readonly (readonly [string, string, number])[] = [
  ['no host', `${LINE}${TYPE}${LENGTH}\r\n${COMMAND}`, 400],
  ['a space before a colon', `${HEAD}content-length : 2\r\n${LENGTH}\r\n${COMMAND}`, 400],
  ['bare line feeds', `${HEAD}${LENGTH}\r\n`.replaceAll('\r\n', '\n') + COMMAND, 400],
  ['one bare line feed', `${HEAD}a: b\n${LENGTH}\r\n${COMMAND}`, 400],
  ['a folded header', `${HEAD}a: b\r\n c\r\n${LENGTH}\r\n${COMMAND}`, 400],
  ['an absolute target', HEAD.replace('/', 'http://x/') + `${LENGTH}\r\n${COMMAND}`, 404],
  [
    'chunks after their length',
    `${HEAD}content-length: ${CHUNKED.length}\r\n${CHUNKS}\r\n${CHUNKED}`,
    400,
  ],
  ['a length before chunks', `${HEAD}${LENGTH}${CHUNKS}\r\n${COMMAND}`, 400],
  ['a length after chunks', `${HEAD}${CHUNKS}${LENGTH}\r\n${COMMAND}`, 400],
  ...['abc', '-5', '+5', '0x10', '5, 5', '99999999999999999999'].map(
    (length) =>
      [`a length of ${length}`, `${HEAD}content-length: ${length}\r\n\r\n${COMMAND}`, 400] as const,
  ),
  ['a broken chunk', `${HEAD}${CHUNKS}\r\nZZ\r\n${COMMAND}\r\n0\r\n\r\n`, 400],
  ['a version of later', `${HEAD}${LENGTH}\r\n${COMMAND}`.replace('/1.1', '/3.0'), 400],
  ['no request at all', 'hello\r\n\r\n', 400],
  ['a head too long', `${HEAD}${LENGTH}big: ${'x'.repeat(300_000)}\r\n\r\n${COMMAND}`, 431],
];

/** The answer to the last thing that the client has to say. */
async function ask(started: Started, request: string): Promise<RawAnswer | null> {
  const client = await RawClient.open(started.http.port);
  const answer = await client.send(request).end().answer();
  client.destroy();
  return answer;
}

for (const binding of BINDINGS) {
  for (const [what, request] of SOUND) {
    test(`${binding}: a command with ${what} is executed, so that the others could be`, async (t) => {
      const started = await start(t, binding, { devMode: true });
      const client = await RawClient.open(started.http.port);
      t.is((await client.send(request).answer())?.status, 200);
      t.is(started.port.submitted, 1);
      client.destroy();
    });
  }

  for (const [what, request, status] of ANSWERED) {
    test(`${binding}: ${what} gets ${status}`, async (t) => {
      const started = await start(t, binding, { devMode: true });
      const answer = await ask(started, request);
      t.is(answer?.status, status);
      t.is(started.port.submitted, 0);
    });
  }

  for (const [what, request, status] of CLOSED) {
    const told = binding === 'native' ? 'is closed without an answer' : `gets ${status}`;
    test(`${binding}: ${what} ${told}`, async (t) => {
      const started = await start(t, binding, { devMode: true });
      const answer = await ask(started, request);
      t.is(answer?.status, binding === 'native' ? undefined : status);
      if (answer !== null) {
        t.is(answer.headers.get('content-type'), 'application/problem+json');
        t.like(JSON.parse(answer.body), { status });
      }
      t.is(started.port.submitted, 0);
      t.is((await fetch(`${started.url}/livez`)).status, 200);
    });
  }

  // README.md tells how proxies are made to speak 1.1.
  test(`${binding}: HTTP/1.0 ${binding === 'native' ? 'is closed without an answer' : 'is answered'}`, async (t) => {
    const started = await start(t, binding);
    for (const path of ['/livez', '/readyz']) {
      const answer = await ask(started, `GET ${path} HTTP/1.0\r\n${HOST}\r\n`);
      t.is(answer?.status, binding === 'native' ? undefined : 200);
    }
  });

  test(`${binding}: what is no request does not take away the answer to one before it`, async (t) => {
    const started = await start(t, binding);
    const client = await RawClient.open(started.http.port);
    t.is((await client.send(`GET /livez HTTP/1.1\r\n${HOST}\r\n`).answer())?.status, 200);
    const after = await client.send('hello\r\n\r\n').end().answer();
    t.is(after?.status, binding === 'native' ? undefined : 400);
    client.destroy();
  });
}
