/**
 * A process that appends to the log it is given as fast as it can, and reports each append to its
 * parent only after the log has acknowledged it. It lives until it is killed.
 */
import { openTestActor, openTestLog, readLast, event, newKey } from './harness.ts';

const [url = ''] = process.argv.slice(2);
const STREAMS = ['votes', 'lane-0'] as const;

await openTestLog(url);
const log = await openTestActor(url, 'writer');
const next = { votes: 0, 'lane-0': 0 };
for (const stream of STREAMS) next[stream] = ((await readLast(log, stream))?.seq ?? -1) + 1;

function turn(): void {
  const events = [
    event('votes', next.votes++),
    event('votes', next.votes++),
    event('lane-0', next['lane-0']++, { body: Buffer.alloc(30_000, next.votes), keys: [newKey()] }),
  ];
  log.append(events, (error) => {
    if (error) throw error;
    process.send?.({ votes: next.votes, lane: next['lane-0'] });
    turn();
  });
}

process.send?.({ votes: next.votes, lane: next['lane-0'] });
turn();
