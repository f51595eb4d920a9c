import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import test from 'ava';
import { LaunchFailure } from '../../src/dev/failure.ts';
import type { ClusterPlan } from '../../src/dev/plan.ts';
import { requireFreePorts } from '../../src/dev/ports.ts';

test('a taken port is named with its use, the node and the flag', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const node = { id: 'node-2', httpPort: 0, grpcPort: port, peerPort: 0, dir: '', url: '' };
  const plan: ClusterPlan = { dataDir: '', postgresPort: 0, nodes: [node] };
  const failure = await t.throwsAsync(requireFreePorts(plan), { instanceOf: LaunchFailure });
  t.true(failure.message.includes(`${port} (gRPC of node-2)`), failure.message);
  t.true(failure.message.includes('--port-base'));
  server.close();
  await once(server, 'close');
  await t.notThrowsAsync(requireFreePorts(plan));
});

test('of many taken ports a few are named', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const node = { httpPort: port, grpcPort: port, peerPort: port, dir: '', url: '' };
  const nodes = ['node-1', 'node-2', 'node-3', 'node-4'].map((id) => ({ id, ...node }));
  const failure = await t.throwsAsync(requireFreePorts({ dataDir: '', postgresPort: 0, nodes }), {
    instanceOf: LaunchFailure,
  });
  t.regex(
    failure.message,
    /peers of node-1\) and 9 more on .* another cluster of npm start: end it/,
  );
  server.close();
});
