/** The proxies of which partitions are made, between two ends that are no nodes. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { FAIR } from '../../bench/faults/link-proxy.ts';
import { CUT, HOLE, Links } from '../../bench/faults/links.ts';

/** What was said to a peer, and a way to say something to it or to hear it. */
class Peer {
  readonly port: number;
  /** Those that called. */
  readonly callers: Socket[] = [];
  heard = '';

  constructor(server: Server) {
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => {
      this.callers.push(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => (this.heard += data.toString()));
    });
  }
}

async function peers(t: ExecutionContext): Promise<readonly Peer[]> {
  const servers = [createServer(), createServer(), createServer()];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
  }
  return servers.map((server) => new Peer(server));
}

class Caller {
  readonly socket: Socket;
  heard = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => (this.heard += data.toString()));
    socket.on('error', () => {});
  }
}

function call(t: ExecutionContext, links: Links, from: number, to: number): Caller {
  const caller = new Caller(connect(links.portFor(from, to)!, '127.0.0.1'));
  t.teardown(() => caller.socket.destroy());
  return caller;
}

/** `once` would take the reset for a failure. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function opened(t: ExecutionContext): Promise<{ links: Links; ends: readonly Peer[] }> {
  const ends = await peers(t);
  const links = await Links.open(ends.map(({ port }) => port));
  t.teardown(() => links.close());
  return { links, ends };
}

test('what is said over a link arrives, both ways, and no node has one to itself', async (t) => {
  const { links, ends } = await opened(t);
  t.is(links.portFor(1, 1), undefined);
  const caller = call(t, links, 0, 1);
  caller.socket.write('hello');
  await until(() => ends[1]!.heard === 'hello');
  ends[1]!.callers[0]!.write('welcome');
  await until(() => caller.heard === 'welcome');
  t.is(ends[2]!.heard, '');
});

test('L1: a hole swallows one way alone, and gives back in order when it is mended', async (t) => {
  const { links, ends } = await opened(t);
  const caller = call(t, links, 0, 1);
  caller.socket.write('a');
  await until(() => ends[1]!.heard === 'a');
  links.set(0, 1, HOLE);
  for (const text of ['b', 'c', 'd']) caller.socket.write(text);
  const [callee] = ends[1]!.callers;
  callee!.write('still here');
  await until(() => caller.heard === 'still here');
  t.is(ends[1]!.heard, 'a');
  links.set(0, 1, FAIR);
  caller.socket.write('e');
  await until(() => ends[1]!.heard === 'abcde');
  t.pass();
});

test('who is isolated hears nobody, and the others hear each other', async (t) => {
  const { links, ends } = await opened(t);
  links.isolate([0], HOLE);
  const lost = call(t, links, 1, 0);
  const heard = call(t, links, 1, 2);
  lost.socket.write('lost');
  heard.socket.write('heard');
  await until(() => ends[2]!.heard === 'heard');
  t.is(ends[0]!.heard, '');
  links.heal();
  await until(() => ends[0]!.heard === 'lost');
});

test('what is cut is closed at both ends, and refused until it is mended', async (t) => {
  const { links, ends } = await opened(t);
  const caller = call(t, links, 0, 1);
  caller.socket.write('a');
  await until(() => ends[1]!.heard === 'a');
  const [callee] = ends[1]!.callers;
  const bothClosed = Promise.all([closed(caller.socket), closed(callee!)]);
  links.isolate([0], CUT);
  await bothClosed;
  const refused = call(t, links, 0, 1);
  await closed(refused.socket);
  links.heal();
  call(t, links, 0, 1).socket.write('b');
  await until(() => ends[1]!.heard === 'ab');
  t.pass();
});

test('what is late arrives whole', async (t) => {
  const { links, ends } = await opened(t);
  links.set(0, 1, { ...FAIR, delayMs: 5 });
  const caller = call(t, links, 0, 1);
  const text = 'x'.repeat(300_000);
  caller.socket.end(text);
  await until(() => ends[1]!.heard.length >= text.length);
  t.is(ends[1]!.heard, text);
});
