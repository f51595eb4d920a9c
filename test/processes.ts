/** Processes of this machine, as tests look for what was left behind. */
import { readdirSync, readFileSync } from 'node:fs';

/** Command lines of all processes that mention `folder`, our own excepted. */
export function processesOn(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(commandLine)
    .filter((line) => line.includes(folder));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
