import test from 'ava';
import type { NodeView } from '../../src/dev/node-process.ts';
import { failedChecks } from '../../src/dev/status.ts';
import { line, table, type NodeRow } from '../../src/dev/picture.ts';
import { Screen } from '../../src/dev/screen.ts';

const process = (id: string, over: Partial<NodeView> = {}): NodeView => ({
  id,
  phase: 'ready',
  pid: 1,
  restarts: 0,
  lastEnd: '',
  ...over,
});

const leader: NodeRow = {
  process: process('validator-1'),
  status: {
    state: 'LEADER',
    currentLeader: 'validator-1',
    term: 3,
    commitIndex: 120,
    executedHeight: 119,
    tps: 412,
    finality: { p50Ms: 8.25, p99Ms: 31.4 },
    memoryBytes: 150 * 1024 * 1024,
  },
  failed: [],
};

test('a node shows role, term, height, commit index, TPS, finality and memory', (t) => {
  const [head = '', row = ''] = table([leader]);
  t.is(head.replaceAll(/ {2,}/g, '|'), 'node|role|term|height|commit|TPS|p50 ms|p99 ms|memory');
  t.is(row.replaceAll(/ {2,}/g, '|'), 'validator-1|LEADER|3|119|120|412|8.3|31|150 MB');
});

for (const [columns, shown] of [
  [20, 20],
  [200, undefined],
  [0, undefined],
] as const) {
  test(`a terminal of ${columns} columns shows rows of ${shown ?? 'their whole length'}`, async (t) => {
    const pages: string[] = [];
    const output = { isTTY: true, columns, write: (text: string) => pages.push(text) };
    const screen = new Screen(output, async () => [leader], ['the footer']);
    await screen.show();
    screen.close();
    const rows = pages.join('').split('\n');
    t.true(rows.includes((table([leader])[1] ?? '').slice(0, shown)));
    t.true(rows.includes('the footer'));
  });
}

test('columns stand under each other', (t) => {
  const lines = table([
    leader,
    { process: process('n2', { phase: 'starting' }), status: null, failed: ['no answer'] },
  ]);
  const ends = lines.map((text) => text.slice(0, (lines[0] ?? '').indexOf('memory') + 6).length);
  t.is(new Set(ends.slice(0, 2)).size, 1);
});

test('a node that died shows why and that it comes back', (t) => {
  const dead = process('node-2', {
    phase: 'waiting',
    restarts: 1,
    lastEnd: 'was ended by SIGKILL',
  });
  t.regex(
    table([{ process: dead, status: null, failed: ['no answer'] }])[1] ?? '',
    /waiting .*was ended by SIGKILL; starts again/,
  );
  const back = process('node-2', { restarts: 1, lastEnd: 'was ended by SIGKILL' });
  t.regex(table([{ ...leader, process: back }])[1] ?? '', /was ended by SIGKILL; restarted 1×/);
});

test('one line names the leader, the figures and who is missing', (t) => {
  const text = line([leader, { process: process('node-2'), status: null, failed: ['no answer'] }]);
  t.regex(text, /^1\/2 nodes ready · leader validator-1, term 3 · commit index 120/);
  t.regex(text, /412 TPS · finality p50 8\.3 ms, p99 31 ms · memory 150 MB · no answer: node-2$/);
});

test('a node that answers and is not ready shows which checks fail, and counts as not ready', (t) => {
  const failed = failedChecks('[-]log DOWN detail=away\n[+]applied UP\n[-]draining DOWN\nnot ok\n');
  t.deepEqual(failed, ['log', 'draining']);
  const refusing: NodeRow = { ...leader, process: process('node-2'), failed };
  t.regex(table([refusing])[1] ?? '', /^node-2 +not ready: log, draining +3 +119/);
  const text = line([leader, refusing]);
  t.regex(text, /^1\/2 nodes ready · leader/);
  t.regex(text, / · not ready: node-2 \(log, draining\)$/);
});
