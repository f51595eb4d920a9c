/** Every scenario of the benches, tiny: that they run, and that their checks hold. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { LISTS } from '../../src/read-model/queries.ts';

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const SIZE = ['--seconds', '2', '--warm-up', '0.5', '--clients', '4', '--accounts', '40'];
const LOAD = [
  '--rows',
  '2000',
  '--batch',
  '100',
  '--rate',
  '50',
  '--times',
  '1',
  '--outstanding',
  '8',
];
const SCENARIOS = ['peak', 'light', 'voting', 'lists', 'failover', 'kills', 'soak'];

interface Run {
  readonly result: {
    readonly answered: number;
    readonly failed: number;
    readonly transactions: number;
    readonly histogram: readonly (readonly [number, number, number])[];
  };
  readonly cpuMicrosPerTx: { readonly total: number };
}

interface Result {
  readonly scenario: string;
  readonly violations: readonly string[];
  readonly measured: {
    readonly runs?: readonly Run[];
    readonly result?: Run['result'];
    readonly kills?: number;
    readonly scenarios?: Readonly<
      Record<string, { readonly trials: readonly unknown[]; readonly result: Run['result'] }>
    >;
    readonly questions?: readonly { readonly question: string; readonly rows: number }[];
    readonly processes?: readonly string[];
    readonly intervals?: readonly { readonly memoryMiB: readonly number[] }[];
  };
}

interface File {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly results: readonly Result[];
}

let file: File;
let exitCode: number | null;
let said = '';

test.before('the benches run', async (t) => {
  t.timeout(900_000);
  const folder = mkdtempSync(join(tmpdir(), 'althing-test-'));
  const json = join(folder, 'result.json');
  try {
    const child = spawn(process.execPath, [BENCH, ...SCENARIOS, ...SIZE, ...LOAD, '--json', json]);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    exitCode = await new Promise((resolve) => child.once('close', resolve));
    t.is(exitCode, 0, said);
    file = JSON.parse(readFileSync(json, 'utf8')) as File;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function resultOf(scenario: string): Result {
  const found = file.results.find((each) => each.scenario === scenario);
  if (found === undefined) throw new Error(`no result of ${scenario} in:\n${said}`);
  return found;
}

test('the result says on what it was measured', (t) => {
  for (const field of ['commit', 'node', 'cores', 'cpu', 'memoryMiB']) {
    t.truthy(file.machine[field], field);
  }
});

for (const scenario of ['peak', 'light']) {
  test(`${scenario} counts what was answered, in its histogram too`, (t) => {
    const [run] = resultOf(scenario).measured.runs ?? [];
    if (run === undefined) return t.fail('no run');
    const { answered, failed, transactions, histogram } = run.result;
    t.is(failed, 0);
    t.is(transactions, answered * (scenario === 'peak' ? 100 : 1));
    t.is(
      histogram.reduce((sum, [, , count]) => sum + count, 0),
      answered,
    );
    t.true(answered > 0 && run.cpuMicrosPerTx.total > 0);
  });
}

test('voting counts rounds that were decided', (t) => {
  const { violations, measured } = resultOf('voting');
  t.deepEqual(violations, []);
  const [run] = measured.runs ?? [];
  t.is(run?.result.transactions, (run?.result.answered ?? 0) * 100);
  t.true((run?.result.answered ?? 0) > 0);
});

test('lists asks every list, and is answered with what was asked for', (t) => {
  const { questions = [] } = resultOf('lists').measured;
  const rowsOf = (name: string) => questions.find(({ question }) => question === name)?.rows;
  t.is(rowsOf('transactions: newest'), 50);
  t.is(rowsOf('transactions: id of one'), 1);
  t.is(rowsOf('transactions: module that is none'), 0);
  const asked = new Set(questions.map(({ question }) => question.split(':')[0]));
  t.deepEqual(
    [...asked],
    LISTS.map(({ name }) => name),
  );
});

test('kills kills a node, and nothing that was answered is lost', (t) => {
  const { violations, measured } = resultOf('kills');
  t.deepEqual(violations, []);
  t.true((measured.result?.answered ?? 0) > 0);
  t.is(measured.result?.failed, 0);
  t.is(measured.kills, 1);
});

test('failover kills the leader, and nothing that was answered is lost', (t) => {
  const { violations, measured } = resultOf('failover');
  t.deepEqual(violations, []);
  const { 'leader-killed': killed, ...others } = measured.scenarios ?? {};
  t.deepEqual(others, {});
  t.is(killed?.trials.length, 1);
  t.true((killed?.result.answered ?? 0) > 0);
});

test('the soak shows the memory of every process in every part of it', (t) => {
  const { violations, measured } = resultOf('soak');
  t.deepEqual(violations, []);
  t.is(measured.intervals?.length, 3);
  t.deepEqual(measured.processes, ['validator-1', 'node-2', 'node-3', 'node-4', 'PostgreSQL']);
  for (const { memoryMiB } of measured.intervals ?? []) {
    t.is(memoryMiB.length, 5);
    t.true(memoryMiB.every((value) => value > 0));
  }
});
