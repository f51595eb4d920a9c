/** Programs of ours as processes of their own. */
import { execFile, spawn, type ExecFileOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The `althing` command, compiled. */
export const ALTHING = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. */
export function run(args: readonly string[], options: ExecFileOptions = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [ALTHING, ...args], options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, stdout: String(stdout), stderr: String(stderr) });
    });
  });
}

/** Runs it in a shell's pipe to `reader`, to the end of both; its code. */
export function runInto(
  args: readonly string[],
  reader: string,
  options: ExecFileOptions = {},
  /** In place of the pipe. */
  file?: string,
): Promise<Ended> {
  const output = file === undefined ? '' : `> ${file} `;
  const script = `"$@" ${output}| ${reader}; echo "\${PIPESTATUS[0]}" >&3`;
  return new Promise((resolve, reject) => {
    const all = ['-c', script, 'bash', process.execPath, ALTHING, ...args];
    const child = spawn('bash', all, { ...options, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    const said = ['', '', '', ''];
    for (const at of [1, 2, 3]) {
      child.stdio[at]!.on('data', (chunk: Buffer) => (said[at] += chunk.toString()));
    }
    child.once('error', reject);
    child.once('close', () =>
      resolve({ code: Number(said[3]), stdout: said[1]!, stderr: said[2]! }),
    );
  });
}
