/** Four real processes, two of which are killed and come back: what the others say meanwhile, and after. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { status, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { Cluster, getJson } from '../../bench/cluster.ts';
import { Client } from '../../src/client/client.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { newFolder } from '../folder.ts';
import { TestClient } from '../grpc/start.ts';

const KEPT = [0, 1];
const LOST = [2, 3];

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

const answerOf = async (response: Response): Promise<Answer> => ({
  status: response.status,
  headers: response.headers,
  body: (await response.json()) as Answer['body'],
});

async function put(cluster: Cluster, node: number, key: string): Promise<Answer> {
  const url = `${cluster.urls[node]}/api/v11/kv/demo/${key}?timeoutMs=1000`;
  const headers = { 'content-type': 'application/json' };
  return answerOf(await fetch(url, { method: 'PUT', headers, body: '"x"' }));
}

const get = async (cluster: Cluster, node: number): Promise<Answer> =>
  answerOf(await fetch(`${cluster.urls[node]}/api/v11/kv/demo/first`));
const readiness = async (cluster: Cluster, node: number, more = ''): Promise<number> =>
  (await fetch(`${cluster.urls[node]}/readyz${more}`)).status;
/**
 * What the log says of the quorum, in its order. On a machine with much else to do it may be lost more than
 * once, and is then found again as often.
 */
function said(cluster: Cluster, node: number): readonly string[] {
  const text = readFileSync(cluster.logFile(node), 'utf8');
  return [...text.matchAll(/the quorum is (lost|back)/g)].map(([, what]) => what!);
}

/** One line for each loss and one for its end, in turn; this one comes to be the last. */
async function assertSaid(t: ExecutionContext, cluster: Cluster, node: number, now: string) {
  while (said(cluster, node).at(-1) !== now) await pause(100);
  const lines = said(cluster, node);
  lines.forEach((line, at) => t.is(line, at % 2 === 0 ? 'lost' : 'back'));
}

async function written(cluster: Cluster, node: number, key: string): Promise<void> {
  while ((await put(cluster, node, key)).status !== 200) await pause(100);
}

/** Writes until one is refused for want of a quorum: where to ask about those that were taken before. */
async function refusedBy(t: ExecutionContext, cluster: Cluster, node: number) {
  const unknown: string[] = [];
  for (;;) {
    const answer = await put(cluster, node, `during-${node}`);
    if (answer.status === 503) return { answer, unknown };
    t.is(answer.status, 504, 'neither done nor failed, as far as the node knows');
    t.is(answer.body['code'], 'outcome_unknown');
    unknown.push(`${cluster.urls[node]}${String(answer.body['statusUrl'])}`);
  }
}

async function assertRefused(t: ExecutionContext, cluster: Cluster, node: number) {
  const { answer, unknown } = await refusedBy(t, cluster, node);
  t.is(answer.body['code'], 'no_quorum');
  t.is(answer.headers.get('retry-after'), '1');
  for (const lost of LOST) {
    t.regex(String(answer.body['detail']), new RegExp(`${cluster.id(lost)} since 20\\S+Z`));
  }
  t.is(await readiness(cluster, node), 200);
  t.is(await readiness(cluster, node, '?for=writes'), 503);
  await assertSaid(t, cluster, node, 'lost');
  return unknown;
}

/** Reads go on, of the same height, and say that they grow old. */
async function assertGrowsOld(t: ExecutionContext, cluster: Cluster, node: number): Promise<void> {
  const read = async () => {
    const { status: code, body, headers } = await get(cluster, node);
    t.is(code, 200);
    t.is(body['value'], 'x');
    const height = headers.get('x-althing-height');
    return { height, age: Number(headers.get('x-althing-age-ms') ?? 'none') };
  };
  let first = await read();
  for (let last = first; last.age < first.age + 500;) {
    await pause(50);
    const next = await read();
    // What was final before is executed first.
    if (next.height !== last.height) first = next;
    else t.true(next.age >= last.age, `${next.age} after ${last.age}`);
    last = next;
  }
}

async function assertUnavailable(t: ExecutionContext, cluster: Cluster): Promise<void> {
  const grpc = new TestClient(t, cluster.grpcAddress(KEPT[0]!), 'althing.v1.Transactions');
  const args = { fields: { namespace: { stringValue: 'demo' }, key: { stringValue: 'grpc' } } };
  const transactions = [{ module: 'kv', command: 'delete', args }];
  const submitted = grpc.call('Submit', { transactions: { transactions } });
  const error = (await t.throwsAsync(submitted)) as unknown as ServiceError;
  t.is(error.code, status.UNAVAILABLE, error.message);
  t.is(error.metadata.get('althing-code')[0], 'no_quorum');
}

test('without a quorum writes are refused and reads grow old, until it is back', async (t) => {
  const cluster = await Cluster.create({ folder: newFolder('quorum-loss'), dev: true });
  t.teardown(() => cluster.close());
  await cluster.start();
  await written(cluster, KEPT[0]!, 'first');
  let refusals = 0;
  const counting: typeof fetch = async (...asked) => {
    const response = await fetch(...asked);
    if (response.status === 503) refusals++;
    return response;
  };
  const client = await Client.connect({
    urls: cluster.urls,
    crypto: nodeCrypto,
    signer: cluster.operator(),
    fetch: counting,
    // Longer than the nodes that were lost take to start.
    validityMs: 10 * 60_000,
  });
  const pids = KEPT.map((node) => cluster.pid(node));

  await Promise.all(LOST.map((node) => cluster.end(node, 'SIGKILL')));
  const unknown = [
    ...(await assertRefused(t, cluster, KEPT[0]!)),
    ...(await assertRefused(t, cluster, KEPT[1]!)),
  ];
  await assertGrowsOld(t, cluster, KEPT[0]!);
  await assertUnavailable(t, cluster);
  const sent = client.call('kv', 'set', { namespace: 'demo', key: 'client', value: 1 });
  while (refusals === 0) await pause(50);

  await cluster.start(LOST);
  t.is((await sent).status, 'ok');
  for (const node of KEPT) {
    await written(cluster, node, `after-${node}`);
    await assertSaid(t, cluster, node, 'back');
    while ((await readiness(cluster, node, '?for=writes')) !== 200) await pause(100);
  }
  t.deepEqual(
    KEPT.map((node) => cluster.pid(node)),
    pids,
  );
  // What was taken before the loss, and left unknown, was not lost.
  for (const url of unknown) while ((await fetch(url)).status !== 200) await pause(100);
  await getJson(`${cluster.urls[KEPT[0]!]}/api/v11/kv/demo/client`);
});
