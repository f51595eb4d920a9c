/** The evidence in a node's log, in pages; and what its log says of whom it accuses. */
import test from 'ava';
import { equivocationFound, evidenceStream } from '../../protocols/replication/events.ts';
import { VOTING_STREAM } from '../../protocols/voting/accusations.ts';
import { evidenceRecord, type Evidence } from '../../protocols/voting/evidence.ts';
import { packStructure } from '../../protocols/wire.ts';
import { LogError } from '../../src/log/errors.ts';
import { EvidenceShelves } from '../../src/supervisor/evidence.ts';
import { Notices } from '../../src/supervisor/notices.ts';
import { NOTHING_YET } from '../../src/supervisor/nothing-yet.ts';
import { evidenceBy } from '../http/evidence.ts';
import { signers, testCluster } from '../http/test-node.ts';
import { MemoryLog } from '../stream/memory-log.ts';

const cluster = testCluster();
const { voting, replication } = NOTHING_YET;
const START = { shelf: 0, position: 0 };
const against = (index: number, kind: Evidence['kind']) =>
  evidenceBy({ cluster, signer: signers[index]!, index }, kind);

function shelves() {
  const log = new MemoryLog();
  const found = { voting, replication };
  const reads = new EvidenceShelves(log, cluster.n, () => found);
  const voted = (item: Evidence, index: number): void => {
    const accused = signers[index]!.publicKey;
    const header = packStructure(evidenceRecord, { accused, found: item.kind, evidence: item });
    const seq = found.voting.evidence;
    log.append([{ stream: VOTING_STREAM, seq, kind: 'evidenceFound', header }]);
    found.voting = { ...voting, evidence: seq + 1, accused: [index] };
  };
  const batched = (item: Evidence, lane: number): void => {
    if (item.kind !== 'doubleBatch') throw new Error('not of a lane');
    log.append([equivocationFound({ stream: evidenceStream(lane), position: 0 }, item)]);
    const accused = [...found.replication.accused, lane];
    found.replication = { ...replication, evidence: accused.length, accused };
  };
  return { log, reads, voted, batched };
}

test('all evidence comes in pages of any size, in one order, and later evidence moves none of it', async (t) => {
  const { log, reads, voted, batched } = shelves();
  t.deepEqual(await reads.page(START, 10), { evidence: [], next: null });
  t.is(log.reads, 0, 'nobody asks the log for what there is none of');
  const items = [
    against(3, 'doubleVote'),
    against(3, 'doubleFirst'),
    against(3, 'hiddenCommit'),
    against(1, 'doubleBatch'),
    against(3, 'doubleBatch'),
  ];
  for (const item of items.slice(0, 3)) voted(item, 3);
  batched(items[3]!, 1);
  batched(items[4]!, 3);
  for (const limit of [1, 2, 3, 4, 5, 500]) {
    const seen: Evidence[] = [];
    for (let from: typeof START | null = START; from !== null;) {
      const page = await reads.page(from, limit);
      if (page === 'unavailable') return t.fail();
      t.true(page.evidence.length <= limit);
      t.true(page.evidence.length > 0, 'no page is empty but the first');
      seen.push(...page.evidence);
      from = page.next;
    }
    t.deepEqual(seen, items, `${limit} at a time`);
  }
  const first = await reads.page(START, 3);
  voted(against(3, 'doubleVote'), 3);
  t.deepEqual(first, { evidence: items.slice(0, 3), next: { shelf: 2, position: 0 } });
  t.like(await reads.page({ shelf: 2, position: 0 }, 1), { evidence: [items[3]] });
});

test('a log that does not answer is said to be away, and one that is wrong is our failure', async (t) => {
  const { log, reads, voted } = shelves();
  voted(against(3, 'doubleVote'), 3);
  log.failure = new LogError('unavailable', 'away');
  t.is(await reads.page(START, 1), 'unavailable');
  log.failure = new LogError('log_altered', 'changed');
  await t.throwsAsync(reads.page(START, 1), { message: 'changed' });
});

test('the log names whom there is evidence against, once, wherever it was found', (t) => {
  const lines: string[] = [];
  const notices = new Notices(
    { info: () => {}, warn: (fields, text) => void lines.push(JSON.stringify(fields) + text) },
    ['validator-1', 'node-2', 'node-3', 'node-4'],
  );
  notices.note({ voting, replication });
  t.deepEqual(lines, []);
  notices.note({ voting: { ...voting, evidence: 1, accused: [3] } });
  notices.note({ voting: { ...voting, evidence: 2, accused: [3] } });
  notices.note({ replication: { ...replication, evidence: 1, accused: [3] } });
  t.is(lines.length, 1);
  t.regex(
    lines[0]!,
    /^\{"accused":"node-4"\}there is evidence against node-4: .*althing get evidence/,
  );
  notices.note({ replication: { ...replication, evidence: 2, accused: [3, 1] } });
  t.is(lines.length, 2);
  t.regex(lines[1]!, /node-2/);
});
