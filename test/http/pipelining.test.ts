/**
 * Many requests on one connection at once: what a client gains by them, and what it cannot do to
 * others. See H6, H7, and what native.ts says of one request at a time.
 */
import test from 'ava';
import { Turns } from '../../src/http/turns.ts';
import { RawClient } from './raw-client.ts';
import { BINDINGS, start } from './start.ts';

const get = (path: string, method = 'GET'): string =>
  `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

function set(key: string, value = ''): string {
  const args = { namespace: 'n', key, value };
  const body = JSON.stringify({ module: 'kv', command: 'set', args });
  return (
    'POST /api/v11/transactions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
    `content-length: ${body.length}\r\n\r\n${body}`
  );
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// H6
test('a turn starts so many tasks, and the next ones the others in their order', async (t) => {
  const turns = new Turns({ tasksMax: 3, msMax: Infinity });
  const started: number[] = [];
  for (let task = 0; task < 8; task++) turns.soon(() => void started.push(task));
  t.deepEqual(started, [0, 1, 2]);
  await turn();
  t.deepEqual(started, [0, 1, 2, 3, 4, 5]);
  turns.soon(() => void started.push(8));
  await turn();
  t.deepEqual(started, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

// H6
test('a turn starts no task once those before it took their time, and leaves as much time as one took too much', async (t) => {
  let nowMs = 0;
  const rests: number[] = [];
  const after = (ms: number, run: () => void): void => {
    rests.push(ms);
    setImmediate(run);
  };
  const turns = new Turns({ tasksMax: 10, msMax: 5 }, { now: () => nowMs, after });
  const started: number[] = [];
  for (const tookMs of [2, 3, 0, 20, 4, 0, 1, 1]) {
    turns.soon(() => {
      started.push(tookMs);
      nowMs += tookMs;
    });
  }
  t.deepEqual(started, [2, 3]);
  await turn();
  t.deepEqual(started, [2, 3, 0, 20]);
  await turn();
  t.deepEqual(started, [2, 3, 0, 20, 4, 0, 1]);
  await turn();
  t.deepEqual(started, [2, 3, 0, 20, 4, 0, 1, 1]);
  t.deepEqual(rests, [0, 15, 0, 0]);
});

// H6
test('a task for later never starts in the turn that it came in', async (t) => {
  const turns = new Turns({ tasksMax: 3, msMax: Infinity });
  const started: string[] = [];
  turns.later(() => void started.push('later'));
  turns.soon(() => void started.push('soon, but behind it'));
  t.deepEqual(started, []);
  await turn();
  t.deepEqual(started, ['later', 'soon, but behind it']);
});

for (const binding of BINDINGS) {
  // H6
  test(`${binding}: thousands of requests on one connection let another be answered between them`, async (t) => {
    const { http } = await start(t, binding);
    const flood = await RawClient.open(http.port);
    const other = await RawClient.open(http.port);
    t.is((await other.send(get('/livez')).answer())?.status, 200);
    t.is((await flood.send(get('/livez')).answer())?.status, 200);
    void flood.sent(get('/livez').repeat(20_000));
    t.is((await other.send(get('/readyz')).answer())?.status, 200);
    let answers = 0;
    while ((await flood.answer()) !== null) answers++;
    t.true(answers < 20_000, String(answers));
    // Nothing of it is left behind.
    const metrics = await (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
    t.regex(metrics, /althing_http_requests_open\{.*\} 1$/m);
    other.destroy();
  });

  // H6
  for (const [who, request, length] of [
    ['who asks for health does', get('/livez'), 1],
    ['short writes do', set('short'), 50_000],
  ] as const) {
    test(`${binding}: ${who} not wait for writes that take long`, async (t) => {
      const { http, port } = await start(t, binding, { devMode: true });
      const submit = port.submit.bind(port);
      let long = 0;
      port.submit = (bytes, until) => {
        if (bytes.length > length) {
          long++;
          const endMs = performance.now() + 6;
          while (performance.now() < endMs);
        }
        return submit(bytes, until);
      };
      const writes = 50;
      // At once: those that say nothing for 10 seconds are closed, which a busy machine makes of 51 turns.
      const clients = await Promise.all(
        Array.from({ length: writes + 1 }, () => RawClient.open(http.port)),
      );
      const [asking, ...writing] = clients;
      for (const [at, client] of writing.entries()) client.send(set(`${at}`, 'x'.repeat(length)));
      t.is((await asking!.send(request).answer())?.status, 200);
      t.true(long < writes / 2, String(long));
      for (const client of writing) t.is((await client.answer())?.status, 200);
      for (const client of clients) client.destroy();
    });
  }

  test(`${binding}: all who ask for metrics at once get the same page`, async (t) => {
    const { url, port } = await start(t, binding);
    const render = port.metrics.bind(port);
    let rendered = 0;
    port.metrics = () => {
      rendered++;
      return render();
    };
    port.failing = true;
    t.is((await fetch(`${url}/metrics`)).status, 500);
    port.failing = false;
    const asked = Array.from({ length: 50 }, () => fetch(`${url}/metrics`));
    const pages = await Promise.all((await Promise.all(asked)).map((answer) => answer.text()));
    t.true(pages.every((page) => page.includes('althing_up 1')));
    t.true(new Set(pages).size === rendered - 1 && rendered < 50, String(rendered));
  });

  test(`${binding}: what a client does not read is not answered without end`, async (t) => {
    const { http, port } = await start(t, binding);
    port.metrics = () => Promise.resolve('x'.repeat(500_000));
    const deaf = await RawClient.open(http.port);
    deaf.stopReading();
    const other = await RawClient.open(http.port);
    const times = 200;
    for (let asked = 0; asked < times; asked++) {
      deaf.send(get('/metrics'));
      // Each comes alone, after the answer to the one before.
      t.is((await other.send(get('/livez')).answer())?.status, 200);
      t.is((await other.send(get('/livez')).answer())?.status, 200);
    }
    let answered: string | undefined;
    // A page is shared for a second: the first may be older than the answers.
    while (answered === undefined) {
      const page = (await other.send(get('/metrics')).answer())?.body ?? '';
      answered = /requests_total\{route="\/metrics",status="200"\} (\d+)/.exec(page)?.[1];
    }
    t.true(Number(answered) > 0 && Number(answered) < times / 2, answered);
    deaf.destroy();
    other.destroy();
  });

  test(`${binding}: a long answer arrives whole at a client that reads it late, and the next one after it`, async (t) => {
    const { http, port } = await start(t, binding);
    const long = 'é'.repeat(4_000_000);
    port.metrics = () => Promise.resolve(long);
    const late = await RawClient.open(http.port);
    late.stopReading();
    late.send(get('/metrics'));
    const other = await RawClient.open(http.port);
    for (let times = 0; times < 5; times++) {
      t.is((await other.send(get('/livez')).answer())?.status, 200);
    }
    late.startReading();
    t.true((await late.answer())?.body.startsWith(`${long}\n# HELP`));
    t.is((await late.send(get('/livez')).answer())?.status, 200);
    late.destroy();
    other.destroy();
  });

  // H7
  test(`${binding}: a write keeps its answer, whatever comes behind it`, async (t) => {
    const { http, port, url } = await start(t, binding, { devMode: true });
    port.hold();
    const client = await RawClient.open(http.port);
    const submitting = port.submitting();
    client.send(set('a'));
    await submitting;
    await client.sent(set('b') + get('/livez'));
    t.is((await fetch(`${url}/livez`)).status, 200);
    port.release();
    t.is((await client.answer())?.status, 200);
    if (binding === 'fallback') t.is((await client.answer())?.status, 200);
    // Here the second came together with a third.
    else t.is(await client.answer(), null);
    t.is(port.submitted, binding === 'fallback' ? 2 : 1);
    client.destroy();
  });

  test(`${binding}: writes that come apart are executed and answered in turn`, async (t) => {
    const { http, port, url } = await start(t, binding, { devMode: true });
    port.hold();
    const client = await RawClient.open(http.port);
    const submitting = port.submitting();
    client.send(set('a'));
    await submitting;
    await client.sent(set('b'));
    t.is((await fetch(`${url}/livez`)).status, 200);
    port.release();
    for (let times = 0; times < 2; times++) t.is((await client.answer())?.status, 200);
    t.is(port.submitted, 2);
    client.destroy();
  });

  // H7
  test(`${binding}: of writes that come together ${binding === 'native' ? 'none' : 'each'} is executed`, async (t) => {
    const { http, port, url } = await start(t, binding, { devMode: true });
    const client = await RawClient.open(http.port);
    client.send(set('a') + set('b'));
    const answers = [await client.answer(), await client.answer()];
    const expected = binding === 'native' ? [undefined, undefined] : [200, 200];
    t.deepEqual(
      answers.map((answer) => answer?.status),
      expected,
    );
    t.is((await fetch(`${url}/livez`)).status, 200);
    t.is(port.submitted, binding === 'native' ? 0 : 2);
    client.destroy();
  });

  test(`${binding}: what is answered at once may come together, and a write behind it`, async (t) => {
    const { http } = await start(t, binding, { devMode: true });
    const statuses = async (): Promise<(number | undefined)[]> => {
      const client = await RawClient.open(http.port);
      client.send(get('/livez') + get('/nothing') + get('/readyz', 'HEAD') + set('a'));
      const first = [await client.answer(), await client.answer(), await client.answerToHead()];
      const answers = [...first, await client.answer()];
      client.destroy();
      return answers.map((answer) => answer?.status);
    };
    // Where the machine is busy a turn may be over before all are answered: then others come next (H6).
    let seen = await statuses();
    for (let times = 0; times < 20 && seen.includes(undefined); times++) seen = await statuses();
    t.deepEqual(seen, [200, 404, 200, 200]);
  });
}
