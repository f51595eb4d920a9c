/**
 * One node as a process that is kept alive: a node that dies is started again after a back-off,
 * unless its exit code says that starting again cannot help.
 *
 * Each node is the leader of a process group of its own: a terminal's Ctrl-C reaches the launcher
 * alone, which decides who stops when.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { lastLines, openLogFile } from './log-file.ts';

export interface NodeCommand {
  readonly id: string;
  /** Arguments for this Node.js: the program first. */
  readonly args: readonly string[];
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** The node writes it when it is ready to serve. */
  readonly readyFile: string;
}

export type NodePhase = 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped';

export interface NodeView {
  readonly id: string;
  readonly phase: NodePhase;
  readonly pid: number | null;
  readonly restarts: number;
  /** Why it ended last; empty while it never did. */
  readonly lastEnd: string;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A node that ran this long starts over with the first delay. */
  readonly settledMs: number;
}

const BACKOFF: Backoff = { firstMs: 500, maxMs: 10_000, settledMs: 30_000 };
const READY_POLL_MS = 25;
/** Exits before it was ever ready that are taken for bad luck. */
const EARLY_EXITS_MAX = 3;
const LOG_LINES_SHOWN = 12;

/** Exit codes after which the same start would end the same way. */
const FINAL_EXITS: ReadonlyMap<number, string> = new Map([
  [2, 'usage or configuration'],
  [3, 'its log is corrupt or was altered'],
  [4, 'its state diverged from a certificate'],
]);

export class NodeProcess {
  readonly #command: NodeCommand;
  readonly #changed: (view: NodeView) => void;
  readonly #backoff: Backoff;
  #child: ChildProcess | null = null;
  #phase: NodePhase = 'stopped';
  #restarts = 0;
  #lastEnd = '';
  #delayMs: number;
  #startedAtMs = 0;
  #everReady = false;
  #timer: NodeJS.Timeout | undefined;
  #waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #stopWaiters: (() => void)[] = [];

  constructor(
    command: NodeCommand,
    changed: (view: NodeView) => void = () => {},
    backoff: Backoff = BACKOFF,
  ) {
    this.#command = command;
    this.#changed = changed;
    this.#backoff = backoff;
    this.#delayMs = backoff.firstMs;
  }

  get view(): NodeView {
    const { id } = this.#command;
    const pid = this.#child?.pid ?? null;
    return { id, phase: this.#phase, pid, restarts: this.#restarts, lastEnd: this.#lastEnd };
  }

  start(): void {
    rmSync(this.#command.readyFile, { force: true });
    const log = openLogFile(this.#command.logFile);
    const child = spawn(process.execPath, this.#command.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: withoutOurs(process.env),
    });
    closeSync(log);
    this.#child = child;
    this.#startedAtMs = Date.now();
    child.once('error', (error) => this.#ended(child, `could not start: ${error.message}`, null));
    child.once('exit', (code, signal) => this.#ended(child, endOf(code, signal), code));
    this.#enter('starting');
    this.#awaitReadyFile();
  }

  /** Resolves when the node is ready; rejects when it ends for good first, or is stopped. */
  whenReady(): Promise<void> {
    if (this.#phase === 'ready') return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Asks the node to drain and resolves when it is gone; a node that waits is not started again. */
  stop(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#child === null) {
      if (this.#phase !== 'stopped') this.#enter('stopped');
      return Promise.resolve();
    }
    const gone = new Promise<void>((resolve) => this.#stopWaiters.push(resolve));
    this.#enter('stopping');
    this.#child.kill('SIGTERM');
    return gone;
  }

  /** Ends the node and all it started, at once. */
  kill(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    if (this.#phase !== 'stopping') this.#enter('stopping');
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended a moment ago.
    }
  }

  #enter(phase: NodePhase): void {
    this.#phase = phase;
    this.#changed(this.view);
  }

  #awaitReadyFile(): void {
    this.#timer = setTimeout(() => {
      if (!isReady(this.#command.readyFile)) return this.#awaitReadyFile();
      this.#everReady = true;
      this.#enter('ready');
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    }, READY_POLL_MS);
  }

  #ended(child: ChildProcess, end: string, code: number | null): void {
    if (this.#child !== child) return;
    clearTimeout(this.#timer);
    this.#child = null;
    this.#lastEnd = end;
    if (this.#phase === 'stopping') return this.#stopped();
    if (this.#isFinal(code)) return this.#stopped();
    this.#startLater();
  }

  #isFinal(code: number | null): boolean {
    if (code !== null && FINAL_EXITS.has(code)) return true;
    return !this.#everReady && this.#restarts >= EARLY_EXITS_MAX;
  }

  #stopped(): void {
    this.#enter('stopped');
    const { id, logFile } = this.#command;
    const end = `${id} ${this.#lastEnd}; its log is ${logFile} and ends with:`;
    const shown = lastLines(logFile, LOG_LINES_SHOWN).map((line) => `  ${line}`);
    const error = new Error([end, ...shown].join('\n'));
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    for (const resolve of this.#stopWaiters.splice(0)) resolve();
  }

  #startLater(): void {
    const settled = Date.now() - this.#startedAtMs >= this.#backoff.settledMs;
    const delayMs = settled ? this.#backoff.firstMs : this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, this.#backoff.maxMs);
    this.#restarts++;
    this.#timer = setTimeout(() => this.start(), delayMs);
    this.#enter('waiting');
  }
}

/** What the user set for a node of another kind must not reach these. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ALTHING_')));
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was ended by ${signal}`;
  const meaning = FINAL_EXITS.get(code ?? -1);
  return `ended with exit code ${code}${meaning === undefined ? '' : ` (${meaning})`}`;
}

/** The file is there and complete. */
function isReady(file: string): boolean {
  try {
    JSON.parse(readFileSync(file, 'utf8'));
    return true;
  } catch {
    return false;
  }
}
