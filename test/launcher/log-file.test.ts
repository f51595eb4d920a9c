import { closeSync, existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { lastLines, openLogFile } from '../../src/dev/log-file.ts';
import { newFolder } from '../folder.ts';

const KIB = 1024;
const newLog = (): string => join(newFolder('log'), 'node.log');

function write(file: string, text: string): void {
  const log = openLogFile(file, KIB);
  writeSync(log, text);
  closeSync(log);
}

test('a log grows from start to start until it is large, and then begins anew', (t) => {
  const file = newLog();
  write(file, 'a'.repeat(KIB));
  write(file, 'b');
  t.is(readFileSync(file, 'utf8').length, KIB + 1);
  t.false(existsSync(`${file}.1`));
  write(file, 'c');
  t.is(readFileSync(file, 'utf8'), 'c');
  t.is(readFileSync(`${file}.1`, 'utf8').length, KIB + 1);
});

test('only the log before the present one is kept', (t) => {
  const file = newLog();
  for (const text of ['a', 'b', 'c']) write(file, text.repeat(2 * KIB));
  t.is(readFileSync(`${file}.1`, 'utf8'), 'b'.repeat(2 * KIB));
});

test('the last lines of a log are shown without the rest being read', (t) => {
  const file = newLog();
  writeFileSync(file, `${'x'.repeat(100 * KIB)}\nlast but one\nlast\n`);
  t.deepEqual(lastLines(file, 2), ['last but one', 'last']);
  t.true(lastLines(file, 3).join('').length <= 64 * KIB);
});

test('a short log is shown whole', (t) => {
  const file = newLog();
  writeFileSync(file, 'only\n');
  t.deepEqual(lastLines(file, 12), ['only']);
});
