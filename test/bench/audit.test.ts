/** The audit finds what it is there to find: on a real cluster, with a client that remembers wrongly. */
import test from 'ava';
import { audit, type Answered, type AuditInput } from '../../bench/audit.ts';
import { Cluster } from '../../bench/cluster.ts';
import { sendAll } from '../../bench/loops.ts';
import { agreement } from '../../bench/observer.ts';
import { Sender } from '../../bench/sender.ts';
import {
  fundings,
  newSeed,
  openings,
  transfers,
  workloadOf,
  type Workload,
} from '../../bench/workload.ts';
import { newFolder } from '../folder.ts';

const SUBMISSIONS = 6;
const TX_EACH = 3;

let cluster: Cluster;
let input: AuditInput;

async function answers(sender: Sender, submissions: readonly Uint8Array[]): Promise<Answered[]> {
  const answered: Answered[] = [];
  for (const [at, bytes] of submissions.entries()) {
    const sent = await sender.send(bytes, at);
    if (!sent.ok) throw new Error(sent.error);
    answered.push({ at, receipts: sent.receipts });
  }
  return answered;
}

async function fund(sender: Sender, workload: Workload): Promise<void> {
  const bounds = { outstanding: 1, secondsMax: 60 };
  await sendAll(sender, openings(workload, 100), 1, bounds);
  await sendAll(sender, fundings(workload, cluster.operator(), 100), 1, bounds);
}

test.before('a cluster has executed some transfers', async (t) => {
  t.timeout(600_000);
  const folder = newFolder('test');
  cluster = await Cluster.create({ folder, threads: 1 });
  await cluster.start();
  const workload = workloadOf(newSeed(cluster.clusterId, 2, 8));
  const { urls } = cluster;
  const sender = new Sender({ urls, connectionsPerNode: 2, patienceMs: 60_000, attemptMs: 30_000 });
  await fund(sender, workload);
  const signed = transfers(workload, { first: 0, count: SUBMISSIONS, perSubmission: TX_EACH });
  const answered = await answers(sender, signed);
  input = { urls, workload, txPerSubmission: TX_EACH, answered, givenUp: 0 };
  await sender.close();
  t.deepEqual((await agreement(cluster)).violations, []);
});

test.after.always('the cluster stops', async () => {
  await cluster?.close();
});

test('finds nothing when every answer is true', async (t) => {
  t.deepEqual(await audit(input), []);
});

test('finds a submission that no node knows', async (t) => {
  const [first, ...rest] = input.answered;
  const unknown = { ...first!, receipts: { ...first!.receipts, id: cluster.clusterId } };
  const violations = await audit({ ...input, answered: [unknown, ...rest] });
  t.is(violations.length, 4);
  t.true(violations.every((each) => each.includes('says 404')));
});

test('finds a submission that is not where its answer said', async (t) => {
  const [first, ...rest] = input.answered;
  const elsewhere = { ...first!.receipts, height: first!.receipts.height + 1_000 };
  const [violation] = await audit({
    ...input,
    answered: [{ ...first!, receipts: elsewhere }, ...rest],
  });
  t.regex(violation ?? '', /answered at .* found at/);
});

test('finds a transfer that happened and was not answered, as one that happened twice', async (t) => {
  const violations = await audit({ ...input, answered: input.answered.slice(1) });
  t.true(violations.length >= 8);
  t.true(violations.every((each) => /account .* instead of/.test(each)));
});

test('finds two submissions at one place', async (t) => {
  const [first, second, ...rest] = input.answered;
  const shared = { ...second!, receipts: { ...second!.receipts, ...placeOf(first!) } };
  const violations = await audit({ ...input, answered: [first!, shared, ...rest] });
  t.true(violations.some((each) => each.includes('are both at')));
});

function placeOf({ receipts: { height, index } }: Answered): { height: number; index: number } {
  return { height, index };
}
