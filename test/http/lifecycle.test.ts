import test from 'ava';
import { freePort } from '../../bench/free-port.ts';
import { loadBinding } from '../../src/http/binding.ts';
import { startHttp } from '../../src/http/server.ts';
import { RawClient } from './raw-client.ts';
import { BINDINGS, start } from './start.ts';
import { silent, testEdge } from './test-node.ts';

const BODY = '{"module":"kv","command":"set","args":{"namespace":"n","key":"k","value":1}}';
const SUBMIT =
  'POST /api/v11/transactions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
  `content-length: ${BODY.length}\r\n\r\n${BODY}`;

test('a port that is taken is refused with its number and the flag', async (t) => {
  for (const binding of BINDINGS) {
    const { http } = await start(t, binding);
    for (const second of BINDINGS) {
      const { edge } = testEdge();
      t.teardown(() => edge.close());
      const options = { edge, host: '127.0.0.1', httpPort: http.port, logger: silent };
      const error = await t.throwsAsync(startHttp({ ...options, binding: second }));
      t.true(error?.message.includes(String(http.port)));
      t.true(error?.message.includes('--http'));
    }
  }
});

test('the log says which binding runs', async (t) => {
  for (const binding of BINDINGS) {
    const lines: object[] = [];
    const logger = { ...silent, info: (fields: object) => void lines.push(fields) };
    const { http } = await start(t, binding, { logger });
    t.like(lines, { 0: { binding, port: http.port }, length: 1 });
    t.is(http.binding, binding);
  }
});

test('without a choice the best binding that loads is taken', (t) => {
  t.is(loadBinding().name, BINDINGS[0]!);
});

for (const binding of BINDINGS) {
  // H5
  test(`${binding}: a stop answers what is in flight, then closes connections`, async (t) => {
    const { http, port } = await start(t, binding, { devMode: true });
    port.hold();
    const idle = await RawClient.open(http.port);
    t.is((await idle.send('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n').answer())?.status, 200);
    const busy = await RawClient.open(http.port);
    const submitting = port.submitting();
    busy.send(SUBMIT);
    await submitting;
    const stopped = http.close(10_000);
    await t.throwsAsync(async () => {
      const late = await RawClient.open(http.port);
      late.destroy();
    });
    port.release();
    t.is((await busy.answer())?.status, 200);
    await stopped;
    await busy.closed();
    await idle.closed();
  });

  test(`${binding}: a stop does not wait longer than its bound`, async (t) => {
    const { http, port } = await start(t, binding, { devMode: true });
    port.hold();
    const busy = await RawClient.open(http.port);
    const submitting = port.submitting();
    busy.send(SUBMIT);
    await submitting;
    await http.close(20);
    await busy.closed();
    t.is(await busy.answer(), null);
    port.release();
  });

  test(`${binding}: the port is free again after a stop`, async (t) => {
    // Not one that the system may give to another connection meanwhile.
    const first = await start(t, binding, { httpPort: await freePort() });
    await first.http.close();
    const { edge } = testEdge();
    const again = await startHttp({
      edge,
      host: '127.0.0.1',
      httpPort: first.http.port,
      logger: silent,
      binding,
    });
    t.is(again.port, first.http.port);
    await again.close();
    edge.close();
  });
}
