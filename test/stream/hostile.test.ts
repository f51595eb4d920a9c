/** What a node does with those who ask for streams that it does not give, or do not keep to the rules. */
import test, { type ExecutionContext } from 'ava';
import { RawClient } from '../http/raw-client.ts';
import { BINDINGS, start, type Started } from '../http/start.ts';
import { open, openSocket, Refused, TRANSPORTS, type Transport } from './clients.ts';

const PATH = '/api/v11/stream';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = [
  `GET ${PATH} HTTP/1.1`,
  'host: localhost',
  'connection: Upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  `sec-websocket-key: ${KEY}`,
];

async function refusal(
  transport: Transport,
  { url }: Started,
  query: string,
  headers = {},
): Promise<Refused> {
  try {
    const client = await open(transport, url, `${PATH}?${query}`, { headers });
    client.cut();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error(`${query} was not refused`);
}

/** Requests and what they are refused with. */
const REFUSALS: readonly (readonly [query: string, status: number, code: string, field: string])[] =
  [
    ['from=0', 400, 'malformed', 'from'],
    ['from=-1', 400, 'malformed', 'from'],
    ['from=latest', 400, 'malformed', 'from'],
    ['from=9007199254740993', 400, 'malformed', 'from'],
    ['after=1.', 400, 'malformed', 'after'],
    ['after=01.2', 400, 'malformed', 'after'],
    ['after=9007199254740991', 400, 'malformed', 'after'],
    ['after=1.99999999999', 400, 'malformed', 'after'],
    ['blocks=yes', 400, 'malformed', 'blocks'],
    ['transactions=', 400, 'malformed', 'transactions'],
    ['modules=', 422, 'unknown_module', 'modules'],
    ['modules=kv,nothing', 422, 'unknown_module', 'modules'],
    ['modules=__proto__', 422, 'unknown_module', 'modules'],
    [`modules=${'kv,'.repeat(64)}kv`, 400, 'malformed', 'modules'],
    ['topics=kv', 400, 'malformed', 'topics'],
    ['topics=*.set', 422, 'unknown_module', 'topics'],
    ['topics=kv.', 400, 'malformed', 'topics'],
    ['topics=kv.toString', 422, 'unknown_event', 'topics'],
    ['topics=kv.s*', 422, 'unknown_event', 'topics'],
    ['form=1', 400, 'unknown_parameter', 'form'],
  ];

const closed = (t: ExecutionContext, client: { cut(): void }): void =>
  t.teardown(() => client.cut());

for (const binding of BINDINGS) {
  for (const transport of TRANSPORTS) {
    const name = `${binding}, ${transport}`;

    test(`${name}: what cannot be understood is refused with the field at fault`, async (t) => {
      const started = await start(t, binding);
      for (const [query, status, code, field] of REFUSALS) {
        const refused = await refusal(transport, started, query);
        t.like(refused, { status, body: { code, field } }, query);
        t.is(refused.headers['x-althing-node'], 'validator-1');
      }
      const headers = { 'last-event-id': 'x' };
      t.like(await refusal(transport, started, '', headers), { body: { field: 'Last-Event-ID' } });
    });

    // S9
    test(`${name}: more streams than the limits say are refused, until some have ended`, async (t) => {
      const streamLimits = { streamsMax: 3, streamsPerAddressMax: 2, progressMs: 20 };
      const started = await start(t, binding, { streamLimits });
      const clients = await Promise.all([1, 2].map(() => open(transport, started.url, PATH)));
      while (started.port.streams.figures().subscribers < 2) await pause();
      const refused = await refusal(transport, started, '');
      t.like(refused, { status: 429, body: { code: 'too_many_streams' } });
      t.is(refused.headers['retry-after'], '5');
      clients[0]!.cut();
      while (started.port.streams.figures().subscribers === 2) await pause();
      const again = await open(transport, started.url, PATH);
      closed(t, again);
      closed(t, clients[1]!);
    });

    test(`${name}: in dev mode, a foreign host gets no stream`, async (t) => {
      const started = await start(t, binding, { devMode: true });
      const refused = await refusal(transport, started, '', { host: 'evil.example' });
      t.like(refused, { status: 421, body: { code: 'foreign_host' } });
    });

    test(`${name}: clients that go away leave nothing behind`, async (t) => {
      const started = await start(t, binding, { streamLimits: { progressMs: 20 } });
      const clients = await Promise.all(
        Array.from({ length: 20 }, () => open(transport, started.url, PATH)),
      );
      while (started.port.streams.figures().subscribers < 20) await pause();
      for (const client of clients) client.cut();
      while (started.port.streams.figures().subscribers > 0) await pause();
      t.pass();
    });
  }

  // H10
  test(`${binding}: a page of another origin opens no WebSocket, one of this node does`, async (t) => {
    const started = await start(t, binding);
    const { host } = new URL(started.url);
    for (const origin of [
      'http://evil.example',
      'null',
      `http://${host}.evil.example`,
      'http://127.0.0.1:1',
    ]) {
      const refused = await refusal('socket', started, '', { origin });
      t.like(refused, { status: 403, body: { code: 'foreign_origin' } }, origin);
    }
    const client = await openSocket(started.url, PATH, { headers: { origin: `http://${host}` } });
    closed(t, client);
    t.pass();
  });

  test(`${binding}: a handshake that is none is refused with a reason`, async (t) => {
    const started = await start(t, binding);
    const answers: readonly (readonly [change: readonly string[], status: number])[] = [
      [HANDSHAKE.filter((line) => !line.startsWith('sec-websocket-key')), 400],
      [HANDSHAKE.map((line) => line.replace(KEY, 'short')), 400],
      [HANDSHAKE.map((line) => line.replace(KEY, `${'?'.repeat(22)}==`)), 400],
      [HANDSHAKE.map((line) => line.replace('13', '8')), 426],
      [HANDSHAKE.filter((line) => !line.startsWith('sec-websocket-version')), 426],
      [[...HANDSHAKE, 'sec-websocket-protocol: graphql-ws'], 400],
      [[...HANDSHAKE, 'sec-websocket-version: 13'], 400],
      [HANDSHAKE.map((line) => line.replace('GET', 'POST')), 405],
    ];
    for (const [lines, status] of answers) {
      const client = await RawClient.open(started.http.port);
      const answer = await client.send(`${lines.join('\r\n')}\r\n\r\n`).answer();
      t.is(answer?.status, status, lines.join());
      t.is(answer?.headers.get('content-type'), 'application/problem+json');
      client.destroy();
    }
    t.is(started.port.streams.figures().subscribers, 0);
  });

  test(`${binding}: a handshake at another path is answered as any request`, async (t) => {
    const started = await start(t, binding);
    const client = await RawClient.open(started.http.port);
    const head = HANDSHAKE.join('\r\n').replace(PATH, '/livez');
    t.is((await client.send(`${head}\r\n\r\n`).answer())?.status, 200);
    client.destroy();
  });

  test(`${binding}: an answer in another type is not to be had, and HEAD tells only headers`, async (t) => {
    const started = await start(t, binding);
    const accept = 'application/json';
    t.like(await refusal('events', started, '', { accept }), { status: 406 });
    const client = await RawClient.open(started.http.port);
    const head = `HEAD ${PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
    const answer = await client.send(head).answerToHead();
    t.is(answer?.status, 200);
    t.is(answer?.headers.get('content-type'), 'text/event-stream');
    t.is(started.port.streams.figures().subscribers, 0);
    client.destroy();
  });

  test(`${binding}: a client may say that it is there, and nothing else`, async (t) => {
    const started = await start(t, binding);
    const live = await openSocket(started.url, PATH);
    live.socket.send('{"ping":1}');
    t.deepEqual(await live.first(({ kind }) => kind === 'pong'), { kind: 'pong' });
    live.cut();
    const words = [
      '',
      'x',
      '{}',
      '[]',
      'null',
      '{"ping":1,"more":2}',
      '"ping"',
      Buffer.from('{"ping":1}'),
    ];
    for (const word of words) {
      const client = await openSocket(started.url, PATH);
      client.socket.send(word);
      t.like(await client.ended, { code: 1008, reason: 'unexpected_message' }, String(word));
    }
    const flood = await openSocket(started.url, PATH);
    for (let times = 0; times < 1_000; times++) flood.socket.send('{"ping":1}');
    t.is((await flood.ended).code, 1008);
    t.true(flood.messages.filter(({ kind }) => kind === 'pong').length <= 20);
    while (started.port.streams.figures().subscribers > 0) await pause();
  });

  test(`${binding}: frames against the protocol close the connection, and harm nobody`, async (t) => {
    const started = await start(t, binding);
    const frames: readonly (readonly [what: string, bytes: Uint8Array])[] = [
      ['not masked', Buffer.concat([Uint8Array.of(0x81, 20), Buffer.alloc(40, 32)])],
      [
        'a length of petabytes',
        Uint8Array.of(0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0),
      ],
      [
        'longer than allowed',
        Buffer.concat([Uint8Array.of(0x81, 0xfe, 0x10, 0x00, 0, 0, 0, 0), Buffer.alloc(4_096, 32)]),
      ],
      ['an opcode that is none', Uint8Array.of(0x83, 0x80, 0, 0, 0, 0)],
      ['reserved bits', Uint8Array.of(0xf1, 0x80, 0, 0, 0, 0)],
      ['a continuation of nothing', Uint8Array.of(0x80, 0x80, 0, 0, 0, 0)],
      ['a control frame in parts', Uint8Array.of(0x09, 0x80, 0, 0, 0, 0)],
      ['text that is not UTF-8', Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe)],
    ];
    for (const [what, bytes] of frames) {
      const client = await RawClient.open(started.http.port);
      t.is((await client.send(`${HANDSHAKE.join('\r\n')}\r\n\r\n`).answer())?.status, 101, what);
      client.send(bytes);
      await client.closed();
    }
    const live = await openSocket(started.url, PATH);
    closed(t, live);
    t.like(await live.first(() => true), { kind: 'progress' });
    while (started.port.streams.figures().subscribers > 1) await pause();
  });

  test(`${binding}: a handshake behind a request that takes time closes the connection`, async (t) => {
    const started = await start(t, binding, { devMode: true });
    started.port.hold();
    const client = await RawClient.open(started.http.port);
    const body = '{"module":"kv","command":"set","args":{"namespace":"n","key":"k","value":1}}';
    const post =
      'POST /api/v11/transactions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
      `content-length: ${body.length}\r\n\r\n${body}`;
    client.send(`${post}${HANDSHAKE.join('\r\n')}\r\n\r\n`);
    await client.closed();
    t.is(started.port.streams.figures().subscribers, 0);
  });
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
