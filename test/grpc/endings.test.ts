import test from 'ava';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { emptyCall, goaway, preface } from './raw-frames.ts';
import { TestClient } from './start.ts';

const WATCH = '/grpc.health.v1.Health/Watch';

// Without src/http2-endings.ts a few hundred of these connections end a process of Node 20.
test('calls in one packet behind a GOAWAY do not corrupt the memory of the node', async (t) => {
  // glibc then overwrites what is freed, so that its use shows.
  const env = { ...process.env, MALLOC_PERTURB_: '165' };
  const child = fork(fileURLToPath(new URL('served.js', import.meta.url)), { env });
  t.teardown(() => child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  const calls = Array.from({ length: 30 }, (_, index) => emptyCall(2 * index + 3, WATCH));
  const packet = Buffer.concat([preface(), emptyCall(1, WATCH), goaway(), ...calls]);
  for (let round = 0; round < 60; round++) {
    await Promise.all(Array.from({ length: 16 }, () => sendAndLeave(port, packet)));
    if (child.exitCode !== null || child.signalCode !== null) break;
  }
  t.deepEqual([child.exitCode, child.signalCode], [null, null]);
  const health = new TestClient(t, `127.0.0.1:${port}`, 'grpc.health.v1.Health');
  t.like(await health.call('Check', { service: '' }), { status: 'SERVING' });
});

/** Leaves when the first bytes of the answer are there, or the other end is gone. */
function sendAndLeave(port: number, packet: Buffer): Promise<unknown> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(packet);
  socket.once('data', () => setTimeout(() => socket.destroy(), 5));
  return new Promise((resolve) => socket.once('close', resolve));
}
