/** What a person is told: the demonstration's result, and how to go on. */
import { DEMO_ACCOUNTS } from './demo-accounts.ts';
import type { DemonstrationResult } from './demonstration.ts';
import type { ClusterPlan } from './plan.ts';

export function summary(result: DemonstrationResult): readonly string[] {
  const { transfers, seconds, p50Ms, p99Ms, height, digest, total } = result;
  const perSecond = Math.round(transfers / seconds).toLocaleString('en');
  return [
    `${transfers.toLocaleString('en')} signed transfers final in ${seconds.toFixed(1)} s (${perSecond} a second, paced)`,
    `finality as the clients saw it: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    `all four nodes agree at height ${height}, block ${digest.slice(0, 16)}…`,
    `the ${DEMO_ACCOUNTS} accounts hold ${total} on every node, as before the transfers`,
  ];
}

/** URLs, commands to paste, and where things are. */
export function invitation({ nodes, postgresPort, dataDir }: ClusterPlan): readonly string[] {
  const [first, second, third] = nodes.map(({ url }) => url);
  const set = {
    module: 'kv',
    command: 'set',
    args: { namespace: 'hello', key: 'world', value: 'hi' },
  };
  return [
    ...nodes.map(
      ({ id, url, grpcPort }) => `${id.padEnd(12)} ${url}/   gRPC 127.0.0.1:${grpcPort}`,
    ),
    '',
    'Try, in another terminal:',
    `  curl -s ${first}/api/v11/consensus/status`,
    `  curl -s ${second}/api/v11/transactions -H 'content-type: application/json' -d '${JSON.stringify(set)}'`,
    `  curl -s ${third}/api/v11/ledger/accounts/demo-1`,
    '',
    `Development mode: loopback only, no token asked for. PostgreSQL 127.0.0.1:${postgresPort}, data and logs in ${dataDir}`,
    'Ctrl-C drains and stops everything.',
  ];
}
