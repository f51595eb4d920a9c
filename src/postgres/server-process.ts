/**
 * One attempt to run the server: starts it in a session of its own, so that a Ctrl-C in the terminal
 * does not reach it, and tells why it ended if it did.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Binaries } from './binaries.ts';
import { spawnAs, type RunAs } from './run-as.ts';

export interface ServerProcess {
  readonly pid: number | undefined;
  /** Whether the process has ended. */
  ended(): boolean;
  /** What the server wrote to its log since it was started. */
  output(): Promise<string>;
  /** Ends it, however far its start has come; resolves when it is gone. */
  end(): Promise<void>;
}

const END_MS = 5_000;

export async function spawnServer(
  dataDir: string,
  logFile: string,
  binaries: Binaries,
  as: RunAs,
): Promise<ServerProcess> {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const start = await sizeOf(logFile);
    const child = spawnAs(as, binaries.postgres, ['-D', dataDir], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    return watch(child, logFile, start);
  } finally {
    closeSync(log);
  }
}

function watch(child: ChildProcess, logFile: string, start: number): ServerProcess {
  let ended = false;
  let failure = '';
  child.once('error', (error) => {
    ended = true;
    failure = error.message;
  });
  child.once('exit', () => (ended = true));
  child.unref();
  return {
    pid: child.pid,
    ended: () => ended,
    output: async () => failure || (await readFrom(logFile, start)),
    end: async () => {
      if (!ended) await end(child);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGINT');
  const cut = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(cut);
}

async function sizeOf(file: string): Promise<number> {
  const handle = await open(file, 'r');
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function readFrom(file: string, start: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
