/**
 * CPU and memory of the cluster as the kernel counts them (Linux /proc): user + system time of every
 * process of the nodes and of their PostgreSQL, children that have ended included, so that nothing
 * the cluster spends goes uncounted.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what /proc counts in; 100 on every Linux platform that Node runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
  /** Children that ended and were waited for. */
  readonly endedSeconds: number;
}

function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // ended between the listing and the read
  }
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent = 0] = fields;
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return {
    pid,
    parent,
    cpuSeconds: (utime + stime) / TICKS_PER_SECOND,
    endedSeconds: (cutime + cstime) / TICKS_PER_SECOND,
  };
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat): stat is ProcessStat => stat !== null);
}

/** The process `root` and all below it. */
function treeOf(root: number): ProcessStat[] {
  const processes = allProcesses();
  const tree: ProcessStat[] = [];
  let level = processes.filter(({ pid }) => pid === root);
  while (level.length > 0) {
    tree.push(...level);
    const parents = new Set(level.map(({ pid }) => pid));
    level = processes.filter(({ parent }) => parents.has(parent));
  }
  return tree;
}

/** CPU seconds used so far by the process `root` and all below it. */
export function cpuSecondsBelow(root: number): number {
  return treeOf(root).reduce((sum, each) => sum + each.cpuSeconds + each.endedSeconds, 0);
}

/**
 * Memory in bytes of the process `root` and all below it: each page once, however many of them map it
 * (PSS), and without shared memory. PostgreSQL's is one block of a fixed size, its shared buffers, that
 * counts page by page as each is first touched: it fills up for minutes, and is no growth.
 */
export function memoryBytesBelow(root: number): number {
  return treeOf(root).reduce((sum, { pid }) => sum + memoryBytes(rollupOf(pid)), 0);
}

/** @param rollup text of a process's `smaps_rollup` */
export function memoryBytes(rollup: string): number {
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
  return bytes('Pss') - bytes('Pss_Shmem');
}

function rollupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    return ''; // ended since the listing
  }
}

/** Resident memory of one process in bytes. */
export function residentBytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null) throw new Error(`/proc/${pid}/status shows no VmRSS: has the process ended?`);
  return Number(match[1]) * 1024;
}
