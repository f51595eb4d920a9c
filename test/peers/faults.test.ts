/** Peers that break rules: few lines in the log, and distance. */
import test from 'ava';
import { ConnectionLines } from '../../src/peers/connection-lines.ts';
import { PeerFaults } from '../../src/peers/faults.ts';
import { createTestCluster, Journal, journalLogger, type LogRecord, type Node } from './cluster.ts';

interface Watched {
  readonly faults: PeerFaults;
  readonly log: LogRecord[];
  readonly apart: [peer: number, ms: number][];
  now: number;
}

function watched(): Watched {
  const journal = new Journal<LogRecord>();
  const apart: [number, number][] = [];
  const faults = new PeerFaults({
    logger: journalLogger(journal),
    nameOf: (peer) => `validator-${peer + 1}`,
    keepApart: (peer, ms) => void apart.push([peer, ms]),
    now: () => self.now,
  });
  const self = { faults, log: journal.entries, apart, now: 0 };
  return self;
}

test('K4: one peer and code give few lines, whatever else is said, and details are cut', (t) => {
  const { faults, log } = watched();
  for (let at = 0; at < 10_000; at++) faults.note(1, 'malformed', 'x'.repeat(5_000));
  const lines = log.length;
  t.true(lines > 0 && lines < 10, `${lines} lines`);
  t.is(String(log[0]?.fields['detail']).length, 1_000);
  faults.note(1, 'batch_signature', 'another code');
  faults.note(2, 'malformed', 'another peer');
  t.is(log.length, lines + 2);
  t.is(log.at(-1)?.message, 'validator-3 broke a rule: malformed');
});

test('K5: many faults within a second part the nodes, each time for longer, up to a bound', (t) => {
  const self = watched();
  for (let round = 0; round < 9; round++) {
    for (let at = 0; at < 200; at++) self.faults.note(1, 'malformed', '');
    t.is(self.apart.length, round + 1, 'once: what it had sent before counts no more');
    self.now += self.apart.at(-1)![1] + 1;
  }
  t.deepEqual(
    self.apart.map(([, ms]) => ms),
    [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000),
  );
  self.now += 3_600_000;
  for (let at = 0; at < 200; at++) self.faults.note(1, 'malformed', '');
  t.deepEqual(self.apart.at(-1), [1, 1_000], 'forgiven after a long good time');
});

test('K5: few faults part nobody', (t) => {
  const self = watched();
  for (let at = 0; at < 1_000; at++) {
    self.faults.note(1, 'malformed', '');
    self.now += 50;
  }
  t.deepEqual(self.apart, []);
});

test('K5: streams of a peer kept apart are closed, refused for a while, and then let in again', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const called = await cluster.start(1);
  const caller = await cluster.start(0);
  await called.events.next(({ kind }) => kind === 'connected');
  called.network.keepApart(0, 3_600_000); // until somebody was refused, however slow the machine is
  await called.events.next(({ kind }) => kind === 'disconnected');
  t.deepEqual(called.network.connected(), []);
  await called.log.next(({ fields }) => /let in again in/.test(String(fields['reason'])));
  called.network.keepApart(0, 0);
  await connectedMoreThan(called, 1);

  const [ofCalled, ofCaller] = [called, caller].map(timesConnected);
  caller.network.keepApart(1, 100);
  await connectedMoreThan(called, ofCalled!);
  await connectedMoreThan(caller, ofCaller!);
  t.deepEqual(caller.network.connected(), [1]);
});

const timesConnected = ({ events }: Node): number =>
  events.entries.filter(({ kind }) => kind === 'connected').length;

async function connectedMoreThan(node: Node, times: number): Promise<void> {
  await node.events.next(({ kind }) => kind === 'connected' && timesConnected(node) > times);
}

test('a peer that comes and goes all the time gets few lines, and hides no other', (t) => {
  const journal = new Journal<LogRecord>();
  const clock = { ms: 0 };
  const lines = new ConnectionLines(journalLogger(journal), () => clock.ms);
  for (let at = 0; at < 10_000; at++) lines.say({ peer: 'node-2' }, 'peer connected');
  t.is(journal.entries.length, 20);
  lines.say({ peer: 'node-3' }, 'peer connected');
  t.is(journal.entries.length, 21);
  clock.ms = 60_000;
  lines.say({ peer: 'node-2' }, 'peer disconnected');
  t.is(journal.entries.at(-1)?.fields['linesLeftOut'], 9_980);
});
