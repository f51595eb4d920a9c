/**
 * `data/running.json` says which processes a launcher started, so that the next one refuses to work
 * on the same data beside it, or clears away what it left behind when it was killed.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from '../process-identity.ts';
import { LaunchFailure } from './failure.ts';

interface Running {
  readonly launcher: ProcessIdentity;
  readonly nodes: readonly ProcessIdentity[];
}

const DRAIN_MS = 10_000;
const POLL_MS = 50;

export class RunningRecord {
  readonly #file: string;
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#file = join(dataDir, 'running.json');
  }

  /**
   * Takes the data for this launcher. Ends nodes that a killed launcher left, and tells how many.
   * Throws LaunchFailure while another launcher runs.
   */
  async take(): Promise<number> {
    const before = this.#read();
    if (before !== null && isRunning(before.launcher)) {
      throw new LaunchFailure(
        `A cluster already runs on ${this.#dataDir} (npm start is process ${before.launcher.pid}): ` +
          `stop it with Ctrl-C or kill ${before.launcher.pid}, or choose another folder with --data`,
      );
    }
    const left = before === null ? [] : before.nodes.filter(isRunning);
    await endAll(left);
    this.write([]);
    return left.length;
  }

  write(nodePids: readonly number[]): void {
    const launcher = identify(process.pid);
    if (launcher === null) return;
    const nodes = nodePids.flatMap((pid) => identify(pid) ?? []);
    const running: Running = { launcher, nodes };
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(running)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }

  #read(): Running | null {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Running;
    } catch {
      return null;
    }
  }
}

async function endAll(processes: readonly ProcessIdentity[]): Promise<void> {
  signalAll(processes, 'SIGTERM');
  const deadline = Date.now() + DRAIN_MS;
  while (processes.some(isRunning) && Date.now() < deadline) await pause(POLL_MS);
  signalAll(processes.filter(isRunning), 'SIGKILL');
  while (processes.some(isRunning)) await pause(POLL_MS);
}

function signalAll(processes: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended a moment ago.
    }
  }
}
