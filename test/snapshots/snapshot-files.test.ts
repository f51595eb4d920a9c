/** Snapshots on disk. */
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { KeptSnapshot, SnapshotPart } from '../../actors/host.ts';
import { SnapshotFiles } from '../../src/snapshots/snapshot-files.ts';
import { newFolder } from '../folder.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const textOf = (read: Uint8Array): string => Buffer.from(read).toString();

function keep(files: SnapshotFiles, part: SnapshotPart): Promise<void> {
  return new Promise((resolve, reject) => {
    files.keepSnapshot(part, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** A snapshot of two parts. */
async function keepWhole(files: SnapshotFiles, height: number): Promise<void> {
  await keep(files, { height, index: 0, part: bytes(`first of ${height}`), head: null });
  await keep(files, { height, index: 1, part: bytes('second'), head: bytes(`head of ${height}`) });
}

function read(
  files: SnapshotFiles,
  upTo: number,
): Promise<{ parts: string[]; found: KeptSnapshot | null }> {
  const parts: string[] = [];
  return new Promise((resolve, reject) => {
    files.readSnapshot(
      upTo,
      (part) => void parts.push(textOf(part)),
      (error, found) => (error === null ? resolve({ parts, found }) : reject(error)),
    );
  });
}

test('what was kept is read back: the newest up to a height', async (t) => {
  const folder = join(newFolder('snapshots'), 'made');
  const files = new SnapshotFiles(folder);
  t.deepEqual(await read(files, 9), { parts: [], found: null });
  await keepWhole(files, 4);
  await keepWhole(files, 12);
  const { parts, found } = await read(new SnapshotFiles(folder), 99);
  t.deepEqual(parts, ['first of 12', 'second']);
  t.deepEqual([found!.height, textOf(found!.head)], [12, 'head of 12']);
  t.is((await read(files, 11)).found?.height, 4);
  t.is((await read(files, 3)).found, null);
  t.is((await stat(folder)).mode & 0o777, 0o700);
  t.is((await stat(join(folder, '12.snapshot'))).mode & 0o777, 0o600);
});

test('L20: what is not complete is not found, and goes when the next one begins', async (t) => {
  const folder = newFolder('snapshots');
  const files = new SnapshotFiles(folder);
  await keep(files, { height: 4, index: 0, part: bytes('first'), head: null });
  t.is((await read(files, 9)).found, null);
  t.deepEqual(await readdir(folder), ['4.partial']);
  await writeFile(join(folder, 'notes.txt'), 'not ours');
  await keepWhole(new SnapshotFiles(folder), 8);
  t.deepEqual((await readdir(folder)).toSorted(), ['8.snapshot', 'notes.txt']);
});

test('L21: the two newest stay', async (t) => {
  const folder = newFolder('snapshots');
  const files = new SnapshotFiles(folder);
  for (const height of [2, 10, 9_000, 80_000]) await keepWhole(files, height);
  t.deepEqual((await readdir(folder)).toSorted(), ['80000.snapshot', '9000.snapshot']);
});

test('a file that is not what was written has no head', async (t) => {
  const folder = newFolder('snapshots');
  const files = new SnapshotFiles(folder);
  await keepWhole(files, 4);
  const path = join(folder, '4.snapshot');
  const whole = await readFile(path);
  const headOf = async (): Promise<string> => textOf((await read(files, 4)).found!.head);
  t.is(await headOf(), 'head of 4');
  for (let length = 0; length < whole.length; length++) {
    await writeFile(path, whole);
    await truncate(path, length);
    t.is(await headOf(), '', `cut to ${length} bytes`);
  }
  for (let at = whole.length - 41; at < whole.length; at++) {
    await writeFile(path, whole.with(at, whole[at]! ^ 1));
    t.is(await headOf(), '', `byte ${at}`);
  }
});

test('what cannot be written is said, and leaves nothing behind', async (t) => {
  const folder = join(newFolder('snapshots'), 'file');
  await writeFile(folder, 'no folder');
  const files = new SnapshotFiles(folder);
  const part = { height: 4, index: 0, part: bytes('first'), head: null };
  await t.throwsAsync(keep(files, part), { code: 'EEXIST' });
});
