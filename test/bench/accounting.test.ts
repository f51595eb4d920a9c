/** What the CPU figure of the benches counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'ava';
import { cpuSecondsBelow } from '../../bench/accounting.ts';

/** Uses CPU, says how many seconds, and lives until its input says so. */
const BURN = `
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
  while (used() < 0.5);
  console.log(used());
  process.stdin.once('data', () => process.exit());
`;
/** A shell that has used next to nothing itself, with the other as its child, and outlives it. */
const PARENT = '"$0" --eval "$1"; echo ended; read -r line';
/** The kernel shows whole ticks: user and system time may each miss the last one. */
const ROUNDED_OFF = 0.02;

test('the CPU time of a process counts its children, and goes on counting those that have ended', async (t) => {
  const parent = spawn('/bin/sh', ['-c', PARENT, process.execPath, BURN], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const reported = Number((await lines.next()).value);
  t.true(reported >= 0.5);
  t.true(cpuSecondsBelow(parent.pid!) >= reported - ROUNDED_OFF, 'while it runs');
  parent.stdin.write('end\n');
  t.is((await lines.next()).value, 'ended');
  t.true(cpuSecondsBelow(parent.pid!) >= reported - ROUNDED_OFF, 'after it has ended');
  parent.stdin.end('end\n');
  await once(parent, 'exit');
});
