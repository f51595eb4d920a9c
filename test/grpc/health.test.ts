import test from 'ava';
import { status, type ServiceError } from '@grpc/grpc-js';
import { start, TestClient } from './start.ts';

const SERVICES = ['', 'grpc.health.v1.Health', 'althing.v1.Transactions', 'althing.v1.Consensus'];
const HEALTH = 'grpc.health.v1.Health';

for (const service of SERVICES) {
  test(`"${service}" is SERVING on a healthy node`, async (t) => {
    const { address } = await start(t);
    const client = new TestClient(t, address, HEALTH);
    t.like(await client.call('Check', { service }), { status: 'SERVING' });
  });
}

test('an unknown service is NOT_FOUND', async (t) => {
  const { address } = await start(t);
  const client = new TestClient(t, address, HEALTH);
  const error = await t.throwsAsync<ServiceError>(client.call('Check', { service: 'bank' }));
  t.is(error?.code, status.NOT_FOUND);
});

test('watchers see the node become unready and ready again', async (t) => {
  const { address, port } = await start(t);
  const client = new TestClient(t, address, HEALTH);
  const watch = client.watch('Watch', { service: 'althing.v1.Transactions' });
  t.like(await watch.next(), { value: { status: 'SERVING' } });
  port.writable = false;
  t.like(await watch.next(), { value: { status: 'NOT_SERVING' } });
  t.like(await client.call('Check', { service: '' }), { status: 'NOT_SERVING' });
  port.writable = true;
  t.like(await watch.next(), { value: { status: 'SERVING' } });
  watch.cancel();
});

test('a missing quorum leaves the port SERVING, for reads', async (t) => {
  const { address, port } = await start(t);
  port.peersConnected = [];
  const client = new TestClient(t, address, HEALTH);
  t.like(await client.call('Check', { service: '' }), { status: 'SERVING' });
});

test('draining is NOT_SERVING at once', async (t) => {
  const { address, grpc } = await start(t);
  const client = new TestClient(t, address, HEALTH);
  grpc.drain();
  for (const service of SERVICES) {
    t.like(await client.call('Check', { service }), { status: 'NOT_SERVING' });
  }
});
