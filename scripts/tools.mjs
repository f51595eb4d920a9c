// What the scripts share: where the repository is, progress lines, and running a program.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** A failure whose message is all that the user needs to see. */
export class Failure extends Error {}

/** Time for the last output of a program that has ended. */
const PIPE_MS = 2_000;

export function progress(message) {
  console.log(`\u203a ${message}`);
}

/** Path of a program that an installed package brings, to be run by this Node. */
export function packageProgram(path) {
  return `${root}node_modules/${path}`;
}

/**
 * Runs a Node program in the repository and resolves with its exit code; a signal counts as 1.
 * With `onOutput` its standard output is shown and also handed over, chunk by chunk.
 */
export function runNode(args, { onOutput, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['inherit', onOutput ? 'pipe' : 'inherit', 'inherit'],
    });
    child.stdout?.on('data', (chunk) => {
      process.stdout.write(chunk);
      onOutput(chunk);
    });
    child.on('error', reject);
    const end = (code) => {
      child.stdout?.destroy();
      resolve(code ?? 1);
    };
    child.on('close', end);
    // A process that the program left behind may hold the pipe open: do not wait for it.
    child.on('exit', (code) => setTimeout(end, PIPE_MS, code).unref());
  });
}

/** Runs a script's main function: failures become one line on stderr and exit code 1. */
export async function main(run) {
  try {
    process.exitCode = await run();
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error);
    process.exitCode = 1;
  }
}
