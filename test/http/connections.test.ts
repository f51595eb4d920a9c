import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { connect, type ClientHttp2Session } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../bench/free-port.ts';
import { RawClient } from './raw-client.ts';
import { BINDINGS, type BindingName } from './start.ts';

const SERVER = fileURLToPath(new URL('limited-server.js', import.meta.url));
const CONNECTIONS_MAX = 1_000;
const AT_ONCE = 50;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

interface Limited {
  readonly port: number;
  readonly grpcPort: number;
  /** What it prints. */
  readonly lines: AsyncIterator<string>;
}

/** A server of 300 descriptors. */
async function startLimited(t: ExecutionContext, binding: BindingName): Promise<Limited> {
  // Not 0: only a port that was asked for by number can be bound again while connections use it.
  const port = await freePort();
  const command = `ulimit -n 300 && exec "${process.execPath}" "${SERVER}" ${binding} ${port}`;
  const child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const [, grpcPort] = String((await lines.next()).value).split(' ');
  return { port, grpcPort: Number(grpcPort), lines };
}

/** A connection on which a request was answered; null where none is to be had. */
async function served(port: number): Promise<RawClient | null> {
  try {
    const client = await RawClient.open(port);
    if ((await client.send(get('/livez')).answer())?.status === 200) return client;
  } catch {
    // Refused.
  }
  return null;
}

/** A connection over which gRPC could go; null where none is to be had. */
function opened(port: number): Promise<ClientHttp2Session | null> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    session.once('remoteSettings', () => resolve(session));
    session.once('close', () => resolve(null));
  });
}

/**
 * Opens connections until some are not to be had. Many at once: those that say nothing for 10 seconds are
 * closed, which a busy machine makes of a few hundred turns.
 */
async function allOf<T>(open: () => Promise<T | null>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < CONNECTIONS_MAX) {
    const some = await Promise.all(Array.from({ length: AT_ONCE }, open));
    const had = some.filter((one) => one !== null);
    all.push(...had);
    if (had.length < AT_ONCE) break;
  }
  return all;
}

// H8
test('connections of gRPC leave descriptors to others, too', async (t) => {
  const { port, grpcPort, lines } = await startLimited(t, 'fallback');
  const other = await served(port);
  const sessions = await allOf(() => opened(grpcPort));
  t.true(sessions.length > 100 && sessions.length < 300, String(sessions.length));
  t.regex(String((await lines.next()).value), /ulimit -n/);
  t.is((await other?.send(get('/metrics')).answer())?.status, 200);
  for (const session of sessions) session.destroy();
  other?.destroy();
});

for (const binding of BINDINGS) {
  // H8
  test(`${binding}: connections leave descriptors to others, and are taken again when some close`, async (t) => {
    const { port, lines } = await startLimited(t, binding);
    const clients = await allOf(() => served(port));
    t.true(clients.length > 100 && clients.length < 300, String(clients.length));
    t.regex(String((await lines.next()).value), /ulimit -n/);
    const [first] = clients.splice(0, 1);
    for (let status: number | undefined = 500; status !== 200;) {
      status = (await first?.send(get('/metrics')).answer())?.status;
      if (status === undefined) return t.fail('a connection was closed that had been taken');
    }
    for (const client of clients) client.destroy();
    let again = await served(port);
    while (again === null) {
      await turn();
      again = await served(port);
    }
    again.destroy();
    first?.destroy();
  });
}
