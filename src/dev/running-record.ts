/**
 * `data/running.json` says which processes a launcher started, so that the next one refuses to work
 * on the same data beside it, or clears away what it left behind when it was killed; and where its nodes
 * serve clients, for the command line.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from '../process-identity.ts';
import { LaunchFailure } from './failure.ts';
import type { NodePlan } from './plan.ts';

interface Running {
  readonly launcher: ProcessIdentity;
  readonly nodes: readonly ProcessIdentity[];
  /** By the id of the node. */
  readonly urls: Readonly<Record<string, string>>;
}

const DRAIN_MS = 10_000;
const POLL_MS = 50;

export class RunningRecord {
  readonly #file: string;
  readonly #dataDir: string;
  readonly #urls: Readonly<Record<string, string>>;

  constructor(dataDir: string, nodes: readonly NodePlan[] = []) {
    this.#dataDir = dataDir;
    this.#file = fileIn(dataDir);
    this.#urls = Object.fromEntries(nodes.map(({ id, url }) => [id, url]));
  }

  /**
   * Takes the data for this launcher. Ends nodes that a killed launcher left, and tells how many.
   * Throws LaunchFailure while another launcher runs.
   */
  async take(): Promise<number> {
    const before = recordIn(this.#file);
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
    const running: Running = { launcher, nodes, urls: this.#urls };
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(running)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }
}

/** Where the nodes serve clients that a launcher runs on this data now, by id; empty where none does. */
export function runningUrls(dataDir: string): Readonly<Record<string, string>> {
  const running = recordIn(fileIn(dataDir));
  return running !== null && isRunning(running.launcher) ? running.urls : {};
}

const fileIn = (dataDir: string): string => join(dataDir, 'running.json');

function recordIn(file: string): Running | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Running;
  } catch {
    return null;
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
