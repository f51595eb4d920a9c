/** The file that a node's output goes to, kept to a size that disks and people can bear. */
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const ROTATE_BYTES = 16 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/**
 * Opens it for more output. A file that has grown too large becomes `<file>.1`, in the place of the one
 * before; the size while one process writes is not bounded.
 */
export function openLogFile(file: string, rotateBytes = ROTATE_BYTES): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateBytes) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** The last lines, as far as they lie in the last 64 KiB. */
export function lastLines(file: string, count: number): readonly string[] {
  const tail = readTail(file).trimEnd().split('\n');
  return tail.slice(-count);
}

function readTail(file: string): string {
  const log = openSync(file, 'r');
  try {
    const { size } = fstatSync(log);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    return tail.toString('utf8', 0, readSync(log, tail, 0, tail.length, size - tail.length));
  } finally {
    closeSync(log);
  }
}
