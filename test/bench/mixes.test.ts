/** Every call of the measured work succeeds, and leaves what its mix is there for. */
import test from 'ava';
import {
  fundings,
  newSeed,
  openings,
  transfers,
  workloadOf,
  type Mix,
} from '../../bench/workload.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { alice, Chain, CLUSTER_ID, clusterOf, receiptsOf } from '../transaction/fixture.ts';

const CLIENTS = 2;
const PER_SUBMISSION = 100;
/** Two of each client: what one leaves pending the next resolves. */
const SUBMISSIONS = 2 * CLIENTS;

/** Events of the submissions by their names; a plain transfer without an id has none. */
const EVENTS: Record<Mix, Readonly<Record<string, number>>> = {
  plain: {},
  kept: { transferred: PER_SUBMISSION * SUBMISSIONS },
  mixed: { pended: 10 * SUBMISSIONS, posted: 8 * CLIENTS, voided: CLIENTS },
};

function counted(receipts: readonly Receipt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of receipts.flatMap(({ events }) => events)) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

for (const [mix, events] of Object.entries(EVENTS) as [Mix, Record<string, number>][]) {
  test(`what is measured as ${mix} succeeds`, (t) => {
    const issuers = [`key:${alice.publicKey}`];
    const chain = new Chain(clusterOf({}, { ledger: { issuers } }), builtInModules);
    const workload = workloadOf(newSeed(CLUSTER_ID, CLIENTS, 20));
    const made = [
      ...openings(workload, PER_SUBMISSION),
      ...fundings(workload, alice, PER_SUBMISSION),
    ];
    const all = { first: 0, count: SUBMISSIONS, perSubmission: PER_SUBMISSION, mix };
    const run = (submission: Uint8Array): Receipt[] =>
      receiptsOf(chain.next([[0, [submission]]], Date.now()));
    const opened = made.flatMap(run);
    const moved = transfers(workload, all).flatMap(run);
    t.deepEqual(
      [...opened, ...moved].filter(({ error }) => error !== undefined),
      [],
    );
    t.deepEqual(counted(moved), events);
  });
}
