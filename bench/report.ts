/** Results: lines for the terminal, and a JSON file that says under what circumstances. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** What a scenario has to say. All but `text` goes into the JSON file. */
export interface Report {
  readonly scenario: string;
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The figures, with raw histograms. */
  readonly measured: Readonly<Record<string, unknown>>;
  /** Sentences about what must not be; none when all is well. */
  readonly violations: readonly string[];
  /** The same for people, a line each. */
  readonly text: readonly string[];
}

/** What is going on, for who waits; results go to stdout. */
export function progress(what: string): void {
  process.stderr.write(`bench: ${what}\n`);
}

export function show({ scenario, configuration, text, violations }: Report): void {
  const lines = [
    `${scenario}  ${JSON.stringify(configuration)}`,
    ...text.map((line) => `  ${line}`),
    ...violations.map((violation) => `  VIOLATED      ${violation}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

export function writeReports(path: string, reports: readonly Report[]): void {
  const results = reports.map(({ scenario, configuration, measured, violations }) => ({
    scenario,
    configuration,
    violations,
    measured,
  }));
  mkdirSync(dirname(path), { recursive: true });
  const at = new Date().toISOString();
  writeFileSync(path, `${JSON.stringify({ at, machine: machine(), results }, null, 2)}\n`);
  progress(`wrote ${path}`);
}

function machine(): Readonly<Record<string, string | number>> {
  return {
    commit: commit(),
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
  };
}

/** With `-dirty` when the working copy differs from it; `unknown` outside of a clone. */
function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Throws RangeError when there are no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('a median of nothing');
  return (lower + upper) / 2;
}
