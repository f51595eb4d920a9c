// What the scripts share: where the repository is, progress lines, and running a program.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
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

/** By which a terminal, npm and other programs ask a script to end. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A signal ended the program that the script ran: the script ends, too, and says no more. */
class Interrupted extends Error {
  constructor(exitCode) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program in the repository and resolves with its exit code; a signal counts as 1.
 * With `onOutput` its standard output is shown and also handed over, chunk by chunk.
 *
 * A script that is asked to end hands that on and waits, for the program may have started others that
 * only it can end. It says so by SIGINT whatever came, because that is what each of them answers in
 * full (ava ends its processes at no other), and a Ctrl-C that reaches it from the terminal, too, is
 * no more than a second one.
 */
export function run(command, args, { onOutput, env } = {}) {
  return new Promise((resolve, reject) => {
    let received = null;
    const handOn = (signal) => {
      // What is still said may go to a terminal that went away.
      if (received === null)
        for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
      received ??= signal;
      child.kill('SIGINT');
    };
    for (const signal of signals) process.on(signal, handOn);
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['inherit', onOutput ? 'pipe' : 'inherit', 'inherit'],
    });
    child.stdout?.on('data', (chunk) => {
      process.stdout.write(chunk);
      onOutput(chunk);
    });
    const ended = () => {
      child.stdout?.destroy();
      for (const signal of signals) process.off(signal, handOn);
    };
    child.on('error', (error) => {
      ended();
      reject(new Failure(`Cannot run ${command}: ${error.message}`));
    });
    const end = (code) => {
      ended();
      if (received === null) resolve(code ?? 1);
      else reject(new Interrupted(code ?? 128 + constants.signals[received]));
    };
    child.on('close', end);
    // A process that the program left behind may hold the pipe open: do not wait for it.
    child.on('exit', (code) => setTimeout(end, PIPE_MS, code).unref());
  });
}

/** The same for a program that this Node runs. */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/** Runs a script's main function: failures become one line on stderr and exit code 1. */
export async function main(work) {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
    if (error instanceof Interrupted) return;
    console.error(error instanceof Failure ? error.message : error);
  }
}
