import test from 'ava';
import { startGrpc } from '../../src/grpc/server.ts';
import { signSubmission } from '../../protocols/transaction/submission.ts';
import { client, silent, testEdge } from '../http/test-node.ts';
import { start, TestClient } from './start.ts';

test('a port that is taken is refused with its number and the flag', async (t) => {
  const { grpc } = await start(t);
  const { edge } = testEdge();
  t.teardown(() => edge.close());
  const error = await t.throwsAsync(
    startGrpc({ edge, host: '127.0.0.1', grpcPort: grpc.port, logger: silent }),
  );
  t.true(error?.message.includes(String(grpc.port)));
  t.true(error?.message.includes('--grpc'));
});

test('a stop answers the call in flight, though a watcher never ends', async (t) => {
  const { address, grpc, port } = await start(t);
  const watch = new TestClient(t, address, 'grpc.health.v1.Health').watch('Watch', { service: '' });
  await watch.next();
  port.hold();
  const submission = signSubmission(
    {
      kind: 'client',
      clusterId: port.cluster.id,
      key: client.publicKey,
      seq: 0,
      validUntil: Date.now() + 60_000,
      transactions: [
        { module: 'kv', command: 'set', args: { namespace: 'n', key: 'k', value: 1 } },
      ],
    },
    client,
  );
  const submitting = port.submitting();
  const answer = new TestClient(t, address, 'althing.v1.Transactions').call('Submit', {
    submission,
  });
  await submitting;
  const stopped = grpc.close();
  port.release();
  t.like(await answer, { final: true });
  await stopped;
});
