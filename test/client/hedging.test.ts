/** Nodes that take a connection and never answer, as a frozen process does. */
import { getEventListeners, once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ask } from '../../src/client/asking.ts';
import { OutcomeUnknown } from '../../src/client/errors.ts';
import { askAll, attempts, silenceMs } from '../../src/client/hedging.ts';
import { connect } from '../../src/client/index.ts';
import { Nodes } from '../../src/client/nodes.ts';
import { notTaken } from '../../src/client/reads.ts';
import { client as signer } from '../http/test-node.ts';
import { BINDINGS, start } from '../http/start.ts';
import { addressed, isWrite, known, problem, type Behaviour } from './cluster.ts';

/** No test waits as long: who answers in spite of it did not wait for the silent one. */
const attemptMs = 3_600_000;
const never = (): Promise<Response> => new Promise(() => undefined);
const silent: Behaviour = never;
const set = (value: number) => ({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key: 'a', value },
});

async function frozen(t: ExecutionContext): Promise<string> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('X11: a node that accepts and never answers is not waited for, over real connections', async (t) => {
  const { url, port } = await start(t, BINDINGS[0]!);
  const { genesis } = port.cluster;
  const client = await connect({ urls: [await frozen(t), url], genesis, signer, attemptMs });
  const { receipts } = await client.submit([set(1)]);
  t.is(receipts[0]!.status, 'ok');
  client.nodes.distrust(1);
  t.like((await client.row('kv', 'entries', 'n/a')).result, { value: 1 });
});

for (const trust of ['proof', 'node'] as const) {
  test(`X11: with trust: '${trust}' a silent node is not waited for, and not asked first again`, async (t) => {
    const { connect: connectHere, asked, port } = await addressed(t, [silent, null, null]);
    const client = await connectHere({ ...known(port), trust, attemptMs });
    const { receipts } = await client.submit([set(1)]);
    t.is(receipts[0]!.status, 'ok');
    t.is(asked[0], 1);
    t.not(client.nodes.order()[0], 0);
  });
}

test('X11: nodes that are silent do not keep a client from learning its cluster', async (t) => {
  const { connect: connectHere, port } = await addressed(t, [silent, silent, null, null]);
  t.is((await connectHere({ attemptMs })).cluster.clusterId, port.cluster.id);
});

test('X11: a subscription begins although a node is silent', async (t) => {
  const onlyNow: Behaviour = (path) => (path.includes('/consensus/status') ? never() : null);
  const { connect: connectHere, port } = await addressed(t, [onlyNow, null, null]);
  const client = await connectHere({ ...known(port), attemptMs });
  const items = client.subscribe({ modules: ['kv'] })[Symbol.asyncIterator]();
  const next = items.next();
  let isOver = false;
  const writing = (async () => {
    while (!isOver) await client.submit([set(1)]);
  })();
  t.like((await next).value, { name: 'set' });
  isOver = true;
  await writing;
  await items.return?.();
});

test('X11: the first is not given up: its answer counts when the next one is silent, too', async (t) => {
  let nextIsAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    nextIsAsked = resolve;
  });
  const { connect: connectHere, port } = await addressed(t, [
    async (path, askNode) => {
      if (isWrite(path)) await asked;
      return askNode();
    },
    (path) => {
      if (isWrite(path)) nextIsAsked();
      return never();
    },
  ]);
  const client = await connectHere({ ...known(port), trust: 'node', attemptMs });
  t.is((await client.submit([set(1)])).receipts[0]!.status, 'ok');
});

test('X11: the more there is to do, the later the next is asked, and never after two seconds', (t) => {
  const cases = [
    [0, 0, 800],
    [150, 0, 800],
    [300, 0, 1_200],
    [600, 0, 2_000],
    [60_000, 0, 2_000],
    [0, 1, 1_600],
    [0, 2, 2_000],
    [300, 1, 2_000],
    [60_000, 9, 2_000],
  ] as const;
  for (const [usualMs, silent, ms] of cases) t.is(silenceMs(usualMs, silent), ms);
});

test('X11: what a submission takes is known with all that shows it to hold', async (t) => {
  const proofMs = 200;
  const slow: Behaviour = async (path, askNode) => {
    if (path.includes('proof=1')) await pause(proofMs);
    return askNode();
  };
  const { connect: connectHere, port } = await addressed(t, [slow]);
  const client = await connectHere({ ...known(port), attemptMs });
  t.is(client.nodes.usualMs(0, 'POST'), 0);
  await client.submit([set(1)]);
  t.true(client.nodes.usualMs(0, 'POST') >= proofMs - 1);
});

test('X11: what answers take of late counts more than what they took before, of each node', (t) => {
  const nodes = new Nodes({ urls: ['http://a', 'http://b'] });
  nodes.prefer(0, 'GET', 800);
  t.is(nodes.usualMs(0, 'GET'), 800);
  t.is(nodes.usualMs(0, 'POST'), 0);
  nodes.prefer(0, 'GET', 0);
  t.is(nodes.usualMs(0, 'GET'), 700);
  t.is(nodes.usualMs(1, 'GET'), 0);
  nodes.takesAtLeast(1, 'GET', 300);
  nodes.takesAtLeast(1, 'GET', 200);
  t.is(nodes.usualMs(1, 'GET'), 300);
  for (let answers = 0; answers < 40; answers++) nodes.prefer(1, 'GET', 0);
  t.true(nodes.usualMs(1, 'GET') < 5);
});

test('a stream that its reader ends does not make its node the last choice', async (t) => {
  const given = (_: string, { signal }: RequestInit): Promise<Response> =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const fetch = given as typeof globalThis.fetch;
  const nodes = new Nodes({ urls: ['http://a', 'http://b'], fetch, attemptMs });
  const ends = new AbortController();
  const opening = nodes.open(0, '/stream', ends);
  ends.abort();
  t.is(await opening, null);
  t.deepEqual(nodes.order(), [0, 1]);
  const late = new Nodes({ urls: ['http://a', 'http://b'], fetch, attemptMs: 1 });
  t.is(await late.open(0, '/stream', new AbortController()), null);
  t.deepEqual(late.order(), [1, 0]);
});

test('X11: those that are not waited for any more are aborted', async (t) => {
  const ended: string[] = [];
  const given = (url: string, { signal }: RequestInit): Promise<Response> => {
    if (url.startsWith('http://b')) return Promise.resolve(new Response('{}'));
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        ended.push(url);
        reject(new Error('aborted'));
      });
    });
  };
  const fetch = given as typeof globalThis.fetch;
  const nodes = new Nodes({ urls: ['http://a', 'http://b'], fetch, attemptMs });
  const request = { method: 'GET', path: '/x' } as const;
  const node = await ask(nodes, request, { ms: attemptMs, refusals: 1 }, (answer) => ({
    kind: 'holds',
    value: answer.node,
  }));
  t.is(node, 1);
  t.deepEqual(ended, ['http://a/x']);
  t.deepEqual(nodes.order(), [1, 0]);
});

test('X11: an attempt that is over leaves nothing that waits', async (t) => {
  const nodes = new Nodes({ urls: ['http://a', 'http://b', 'http://c', 'http://d'] });
  let [tries, most] = [0, 0];
  const failing = (_: number, signal: AbortSignal): Promise<null> => {
    most = Math.max(most, getEventListeners(signal, 'abort').length);
    return Promise.resolve(null);
  };
  for await (const _ of attempts(nodes, 'GET', new AbortController().signal, failing)) {
    if (++tries === 16) break;
  }
  t.is(most, 0);
});

test('X11: who has been told enough asks no more', async (t) => {
  const nodes = new Nodes({ urls: ['http://a', 'http://b'] });
  const { signal } = new AbortController();
  const signals: AbortSignal[] = [];
  const failing = askAll(
    nodes,
    signal,
    (node, end) => {
      signals[node] = end;
      return node === 0 ? Promise.resolve(1) : Promise.reject(new Error('broken'));
    },
    () => false,
  );
  await t.throwsAsync(failing, { message: 'broken' });
  t.true(signals[1]!.aborted);
});

/** The second address says no, and ends who asks when it is asked again. */
function sayingNo() {
  const ends = new AbortController();
  let times = 0;
  const no: Behaviour = () => {
    if (++times === 2) ends.abort();
    return problem(503, 'no_quorum');
  };
  return { no, signal: ends.signal };
}

test('who is not answered is told what each node said', async (t) => {
  const { no, signal } = sayingNo();
  const { connect: connectHere, urls, port } = await addressed(t, [silent, no]);
  const client = await connectHere({ ...known(port), attemptMs });
  const said = `${urls[0]}: silent; ${urls[1]}: no_quorum: it says no_quorum`;
  const error = await t.throwsAsync(client.row('kv', 'entries', 'n/a', { signal }));
  t.like(error, { code: 'no_quorum', status: 503, message: said });
  const again = sayingNo();
  const other = await addressed(t, [silent, again.no]);
  const writer = await other.connect({ ...known(other.port), attemptMs });
  const unknown = await t.throwsAsync(writer.submit([set(1)], { signal: again.signal }), {
    instanceOf: OutcomeUnknown,
  });
  t.true(unknown.message.endsWith(`: ${said}`), unknown.message);
});

test('who is answered by none is told so', async (t) => {
  const fetch = never as unknown as typeof globalThis.fetch;
  const nodes = new Nodes({ urls: ['http://a'], fetch });
  const signal = AbortSignal.abort();
  const request = { method: 'GET', path: '/x?y=1' } as const;
  const asking = ask(nodes, request, { ms: attemptMs, signal, refusals: 1 }, notTaken);
  const error = await t.throwsAsync(asking);
  t.like(error, { code: 'no_answer', message: 'no node answered GET /x: http://a: silent' });
});
