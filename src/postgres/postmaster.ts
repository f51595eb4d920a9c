/**
 * Reads `postmaster.pid` and tells whose it is. The file outlives a killed server, and the process
 * number in it may by then belong to anybody: a server is ours only if the process works in our data
 * folder (the server makes it its working directory).
 */
import { readlinkSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Accepts connections, by its own word. */
  readonly ready: boolean;
}

export type Inspection =
  | { readonly kind: 'none' }
  /** Left behind by a server that is gone. */
  | { readonly kind: 'stale'; readonly pid: number }
  | { readonly kind: 'live'; readonly postmaster: Postmaster };

export function pidFile(dataDir: string): string {
  return join(dataDir, 'postmaster.pid');
}

export async function inspectPostmaster(dataDir: string): Promise<Inspection> {
  const text = await readFile(pidFile(dataDir), 'utf8').catch(() => '');
  const [pidText, , , port, , , , status] = text.split('\n');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return { kind: 'none' };
  if (!worksIn(pid, dataDir)) return { kind: 'stale', pid };
  const ready = status?.trim() === 'ready';
  return { kind: 'live', postmaster: { pid, port: Number(port ?? 0), ready } };
}

/** Whether `pid` is a live process (not a zombie) whose working directory is `dataDir`. */
export function worksIn(pid: number, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
  } catch {
    return false;
  }
}
