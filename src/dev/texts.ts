/** What a person is told: the demonstration's result, and how to go on. */
import { DEMO_ACCOUNTS } from './demo-accounts.ts';
import type { DemonstrationResult } from './demonstration.ts';
import { HOST, type ClusterPlan } from './plan.ts';

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

/** What to try first, as the README has it: the state, a write at one node, a read at another. */
export function commands({ nodes }: ClusterPlan): readonly string[] {
  const [first, second, third] = nodes.map(({ url }) => url);
  const args = { namespace: 'demo', key: 'greeting', value: 'hello' };
  const set = JSON.stringify({ module: 'kv', command: 'set', args });
  const json = "-H 'content-type: application/json'";
  return [
    `curl ${first}/api/v11/consensus/status`,
    `curl -X POST ${second}/api/v11/transactions ${json} -d '${set}'`,
    `curl ${third}/api/v11/kv/demo/greeting`,
  ];
}

/** URLs, commands to paste, and what this is: fits a terminal of 80 columns and 24 rows. */
export function invitation(
  plan: ClusterPlan,
  { transfers, seconds, p50Ms, p99Ms }: DemonstrationResult,
): readonly string[] {
  const { nodes } = plan;
  const [first, second, third, fourth] = nodes.map(({ url }) => url);
  return [
    `Demonstration: ${transfers} transfers in ${seconds.toFixed(1)} s, finality p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    '',
    `HTTP  ${first}  ${second}`,
    `      ${third}  ${fourth}`,
    `gRPC  ${nodes.map(({ grpcPort }) => `${HOST}:${grpcPort}`).join('  ')}`,
    '',
    'Try, in another terminal:',
    ...commands(plan).map((command) => `  ${command}`),
    '',
    'Development mode: loopback only, no token asked for.',
    'Ctrl-C drains and stops everything.',
  ];
}
