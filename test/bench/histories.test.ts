/**
 * Four real processes under every kind of fault: what clients are told is one history; and with a bug
 * planted in the nodes it is none. `ALTHING_HISTORIES=1200` makes the first run so many seconds long.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';
import { REPOSITORY } from '../sim/build-engine.ts';
import { plantedProgram } from './planted-program.ts';

const SECONDS = Number(process.env['ALTHING_HISTORIES'] ?? 120);
const PLANTED_SECONDS = 40;
const STARTED_AND_JUDGED_MS = 20 * 60 * 1000;

interface Result {
  readonly violations: readonly string[];
  readonly measured: {
    readonly ok: number;
    readonly glances: number;
    readonly injected: Readonly<Record<string, number>>;
  };
}

interface Run {
  readonly code: number | null;
  readonly said: string;
  readonly result: Result;
  /** Where a history that must not be is kept; undefined when none is. */
  readonly kept: string | undefined;
}

async function histories(
  t: ExecutionContext,
  seconds: number,
  more: readonly string[],
  program = REPOSITORY,
): Promise<Run> {
  t.timeout(seconds * 1000 + STARTED_AND_JUDGED_MS);
  const temporary = newFolder('histories');
  const json = join(temporary, 'result.json');
  const bench = join(program, 'dist/bench/main.js');
  const args = [bench, 'histories', '--seconds', String(seconds), ...more, '--json', json];
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: temporary } });
  t.teardown(() => child.kill('SIGTERM'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  t.true(existsSync(json), said);
  const { results } = JSON.parse(readFileSync(json, 'utf8')) as { results: [Result] };
  const kept = readdirSync(temporary).find((name) => name.startsWith('histories-seed-'));
  t.deepEqual(processesOn(temporary), []);
  return { code, said, result: results[0], kept: kept && join(temporary, kept) };
}

test.serial(
  'what clients are told under faults is one history, and nothing of it is lost',
  async (t) => {
    const { code, said, result, kept } = await histories(t, SECONDS, []);
    t.deepEqual(result.violations, [], said);
    t.is(code, 0);
    t.is(kept, undefined);
    const { ok, glances, injected } = result.measured;
    t.true(ok > 0 && glances > 0);
    t.true(Object.keys(injected).length > 1);
    t.log(said.slice(said.indexOf('histories  ')));
  },
);

for (const [name, found] of [
  ['reads-unconfirmed', /^key k\d+: .* get .* fits nowhere/],
  ['executes-again', /^(?:transfer|account|key) /],
] as const) {
  test.serial(`with ${name} planted in the nodes the history is none, and is kept`, async (t) => {
    const program = await plantedProgram(name);
    const faults = ['--faults', 'partition,pause', '--seed', '1'];
    const { code, said, result, kept } = await histories(t, PLANTED_SECONDS, faults, program);
    t.is(code, 1, said);
    t.true(
      result.violations.some((violation) => found.test(violation)),
      said,
    );
    const files = readdirSync(kept ?? '');
    for (const file of ['plan.json', 'faults.jsonl', 'operations.jsonl', 'node-4.log']) {
      t.true(files.includes(file), file);
    }
    t.log(result.violations[0]);
  });
}
