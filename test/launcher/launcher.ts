/** Runs the launcher as a process, as `npm start` does, and lets tests wait for what it says. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { planCluster } from '../../src/dev/plan.ts';
import { requireFreePorts } from '../../src/dev/ports.ts';

const MAIN = new URL('../../src/dev/main.js', import.meta.url).href;
/** scripts/start.mjs without its first step, compiling: other tests are running what is compiled. */
const PROGRAM = `const { launch } = await import('${MAIN}');
process.exitCode = await launch(process.argv.slice(1));`;

export class Launcher {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  output = '';
  #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string) {
    const program = ['--input-type=module', '--eval', PROGRAM, '--', ...args];
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    this.#child = spawn(process.execPath, program, { env, cwd, stdio });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#said(String(chunk)));
    }
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Resolves once the output matches; rejects when the launcher ends without. */
  async until(pattern: RegExp): Promise<void> {
    if (pattern.test(this.output)) return;
    const said = new Promise<void>((resolve) => this.#waiting.push({ pattern, resolve }));
    const code = await Promise.race([said, this.ended]);
    if (!pattern.test(this.output)) {
      throw new Error(
        `the launcher ended (${String(code)}) and never said ${String(pattern)}:\n${this.output}`,
      );
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #said(text: string): void {
    this.output += text;
    const matching = this.#waiting.filter(({ pattern }) => pattern.test(this.output));
    this.#waiting = this.#waiting.filter((each) => !matching.includes(each));
    for (const { resolve } of matching) resolve();
  }
}

/** A base from which all ports of a cluster are free. */
export async function freePortBase(): Promise<number> {
  for (;;) {
    const base = randomInt(20_000, 32_000);
    try {
      await requireFreePorts(planCluster('', base));
      return base;
    } catch {
      // Another one, then.
    }
  }
}

/** Process numbers of the nodes that the launcher of `dataDir` runs. */
export function nodePids(dataDir: string): readonly number[] {
  const record = JSON.parse(readFileSync(`${dataDir}/running.json`, 'utf8')) as {
    readonly nodes: readonly { readonly pid: number }[];
  };
  return record.nodes.map(({ pid }) => pid);
}
