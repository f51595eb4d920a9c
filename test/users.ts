/** As whom tests run, and what other users of this machine may. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** User and group number of `nobody`. */
export const NOBODY = 65534;
export const isRoot = process.getuid?.() === 0;

function succeeds(program: string, args: readonly string[], user?: number): boolean {
  const as = user === undefined ? {} : { uid: user, gid: user };
  try {
    execFileSync(program, args, { ...as, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Not so for a clone, or a Node.js, below a folder that is closed to others, such as /root. */
export function nobodyCanRunThis(): boolean {
  const self = fileURLToPath(import.meta.url);
  const read = "require('node:fs').accessSync(process.argv[1])";
  return isRoot && succeeds(process.execPath, ['--eval', read, self], NOBODY);
}

/** Not so in most containers. */
export function namespacesWork(): boolean {
  return succeeds('unshare', ['--user', 'true']);
}
