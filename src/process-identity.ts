/** Which process a number means: numbers are used again, start times tell the processes apart. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever form this system tells it. */
  readonly started: string;
}

const START_TIME_FIELD = 22;

function startTime(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      // The second field, the program's name, may hold spaces: count from its closing bracket.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const zombie = fields[0] === 'Z';
      return zombie ? null : (fields[START_TIME_FIELD - 3] ?? null);
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** Null when no such process runs. */
export function identify(pid: number): ProcessIdentity | null {
  const started = startTime(pid);
  return started === null ? null : { pid, started };
}

export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return startTime(pid) === started;
}

/** As part of a file's name. */
export function nameOf({ pid, started }: ProcessIdentity): string {
  return `${pid}.${encodeURIComponent(started)}`;
}

/** Of which process `name` begins with the name. */
export function identityOf(name: string): ProcessIdentity {
  const [pid, started = ''] = name.split('.');
  return { pid: Number(pid), started: decodeURIComponent(started) };
}
