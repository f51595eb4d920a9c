/** Processes of this machine, as tests look for what was left behind. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Command lines of all processes that mention `folder`, our own excepted, and those that a process has just
 * forked and that are still called as it is.
 */
export function processesOn(folder: string): readonly string[] {
  const found = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => [pid, read(pid, 'cmdline').replaceAll('\0', ' ')] as const)
      .filter(([, line]) => line.includes(folder)),
  );
  return [...found]
    .filter(([pid, line]) => found.get(parentOf(pid)) !== line)
    .map(([, line]) => line);
}

function parentOf(pid: string): string {
  // The name before it may hold anything.
  const [, parent = ''] = /^.*\) \S (\d+) /s.exec(read(pid, 'stat')) ?? [];
  return parent;
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
