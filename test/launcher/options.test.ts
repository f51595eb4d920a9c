import { resolve } from 'node:path';
import test from 'ava';
import { LaunchFailure } from '../../src/dev/failure.ts';
import { parseOptions } from '../../src/dev/options.ts';
import { planCluster } from '../../src/dev/plan.ts';

test('four nodes have the documented ports and names', (t) => {
  const { dataDir, portBase } = parseOptions([]);
  const plan = planCluster(dataDir, portBase);
  t.is(dataDir, resolve('data'));
  t.is(plan.postgresPort, 9432);
  t.deepEqual(
    plan.nodes.map(({ id, httpPort, grpcPort, peerPort }) => [id, httpPort, grpcPort, peerPort]),
    [
      ['validator-1', 9003, 9004, 9204],
      ['node-2', 9005, 9105, 9205],
      ['node-3', 9006, 9106, 9206],
      ['node-4', 9007, 9107, 9207],
    ],
  );
});

test('--port-base moves every port, and no two are the same', (t) => {
  const { nodes, postgresPort } = planCluster('data', 20_000);
  const ports = nodes.flatMap(({ httpPort, grpcPort, peerPort }) => [httpPort, grpcPort, peerPort]);
  const all = [...ports, postgresPort];
  t.is(new Set(all).size, all.length);
  t.true(all.every((port) => port >= 20_000 && port < 20_500));
});

test('--postgres-port moves PostgreSQL alone', (t) => {
  const { portBase, postgresPort } = parseOptions(['--postgres-port', '5544']);
  t.is(planCluster('data', portBase, postgresPort).postgresPort, 5544);
});

for (const [args, named] of [
  [['--port-base', '80'], '--port-base'],
  [['--port-base', '65500'], '--port-base'],
  [['--postgres-port', 'x'], '--postgres-port'],
  [['--port-base', '9010', '--postgres-port', '9010'], '--port-base 9010'],
  [['--postgres-port', '9205'], '--postgres-port 9205'],
  [['--data', ''], '--data'],
  [['--fast'], '--fast'],
  [['now'], 'now'],
] as const) {
  test(`${args.join(' ')} is refused by name, with the exit code for usage`, (t) => {
    const failure = t.throws(() => parseOptions(args), { instanceOf: LaunchFailure });
    t.is(failure.exitCode, 2);
    t.true(failure.message.includes(named));
  });
}
