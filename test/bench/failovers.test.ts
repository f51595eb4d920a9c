/**
 * Some of the ways in which nodes fail, once, on four real processes: the others go on, and nothing is
 * lost. `ALTHING_FAILOVERS=all` goes through all of them.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FAILOVERS } from '../../bench/failovers/scenarios.ts';
import { newFolder } from '../folder.ts';

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
/** How long a client waits is the bench's to judge, and not a busy machine's. */
const ARGUMENTS = ['failover', '--times', '1', '--patience', '900'];
/** What no other test does to real processes. */
const FEW = 'leader-unheard,leader-cut,one-way-ring,halves';
const NAMES = process.env['ALTHING_FAILOVERS'] ?? FEW;
const SIZE = ['--clients', '4', '--accounts', '40', '--rate', '20', '--batch', '100'];
const TIMEOUT_MS = 40 * 60 * 1000;

interface Outcome {
  readonly trials: readonly Readonly<Record<string, number>>[];
  readonly result: { readonly answered: number };
}

interface Result {
  readonly violations: readonly string[];
  readonly measured: { readonly scenarios: Readonly<Record<string, Outcome>> };
}

test('whichever nodes fail in whatever way, what was answered stays, and the cluster goes on', async (t) => {
  t.timeout(TIMEOUT_MS);
  const folder = newFolder('failovers');
  const json = join(folder, 'result.json');
  const child = spawn(
    process.execPath,
    [BENCH, ...ARGUMENTS, '--scenario', NAMES, ...SIZE, '--json', json],
    {
      env: { ...process.env, TMPDIR: folder },
    },
  );
  t.teardown(() => child.kill('SIGTERM'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  t.is(code, 0, said);
  const { results } = JSON.parse(readFileSync(json, 'utf8')) as { readonly results: [Result] };
  const [{ violations, measured }] = results;
  t.deepEqual(violations, []);
  const names = NAMES === 'all' ? Object.keys(FAILOVERS) : NAMES.split(',');
  t.deepEqual(Object.keys(measured.scenarios), names);
  for (const [name, { trials, result }] of Object.entries(measured.scenarios)) {
    t.is(trials.length, 1, name);
    t.true(result.answered > 0, name);
  }
  t.log(said.slice(said.indexOf('failover  ')));
});
