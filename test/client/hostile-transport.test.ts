/** What a node may do to a connection, over real ones. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/client/index.ts';
import type { ProvedEvent } from '../../src/client/lanes.ts';
import { client as signer } from '../http/test-node.ts';
import { BINDINGS, start } from '../http/start.ts';

interface Hostile {
  readonly url: string;
  /** Bytes that it could send to each connection before that was closed, and connections. */
  readonly sent: { bytes: number; open: number; requests: number };
}

async function hostile(t: ExecutionContext, listener: RequestListener): Promise<Hostile> {
  const sent = { bytes: 0, open: 0, requests: 0 };
  const server = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
    sent.requests++;
    sent.open++;
    response.on('close', () => sent.open--);
    const write = response.write.bind(response);
    response.write = ((chunk: Uint8Array) => {
      sent.bytes += chunk.length;
      return write(chunk);
    }) as typeof response.write;
    listener(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

const MEGABYTE = new Uint8Array(1024 * 1024).fill(32);

const endless: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const go = (): void => {
    while (!response.closed && response.write(MEGABYTE));
  };
  response.on('drain', go);
  go();
};

const dripping: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024), { level: 1 });

const manners: Readonly<Record<string, RequestListener>> = {
  'an endless body': endless,
  'a body that drips': dripping,
  silence: () => undefined,
  'a hang-up': (request) => request.socket.destroy(),
  'what is not HTTP': (request) => request.socket.end('SSH-2.0-OpenSSH\r\n'),
  'headers of half a megabyte': (_, response) => {
    response.writeHead(200, { 'x-filler': 'x'.repeat(512 * 1024) });
    response.end();
  },
  'a small body that unpacks to a quarter of a gigabyte': (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(bomb);
  },
  'a redirection': (_, response) => {
    response.writeHead(307, { location: '/api/v11/elsewhere' });
    response.end();
  },
};

for (const [name, listener] of Object.entries(manners)) {
  test(`X3: ${name} costs a client time, and nothing else`, async (t) => {
    const { url, port } = await start(t, BINDINGS[0]!);
    const bad = await hostile(t, listener);
    const client = await connect({
      urls: [bad.url, url],
      genesis: port.cluster.genesis,
      signer,
      attemptMs: 3_000,
    });
    const args = { namespace: 'n', key: 'a', value: 1 };
    const { receipts } = await client.submit([{ module: 'kv', command: 'set', args }]);
    t.is(receipts[0]!.status, 'ok');
    client.nodes.distrust(1);
    t.like((await client.row('kv', 'entries', 'n/a')).result, { value: 1 });
    client.nodes.distrust(1);
    for await (const item of client.subscribe({ from: 1, stallMs: 2_000 })) {
      t.is((item as ProvedEvent).name, 'set');
      break;
    }
    t.true(bad.sent.requests > 0);
    t.true(bad.sent.bytes < 400 * 1024 * 1024);
  });
}

test('X3: a redirection is not followed', async (t) => {
  const { url, port } = await start(t, BINDINGS[0]!);
  const target = await hostile(t, (_, response) => response.end());
  const bad = await hostile(t, (request, response) => {
    response.writeHead(307, { location: `${target.url}${request.url}` });
    response.end();
  });
  const client = await connect({ urls: [bad.url, url], genesis: port.cluster.genesis });
  await client.row('kv', 'entries', 'n/a');
  await (
    await connect({ urls: [url], signer })
  ).call('kv', 'set', {
    namespace: 'n',
    key: 'a',
    value: 1,
  });
  for await (const item of client.subscribe({ from: 1 })) {
    t.is((item as ProvedEvent).name, 'set');
    break;
  }
  t.is(target.sent.requests, 0);
});
