/** The generator process as the bench sees it: one request at a time, each with its answer. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorAnswer, GeneratorRequest } from './generator-main.ts';
import type { RunResult } from './tally.ts';

const ENTRY = fileURLToPath(new URL('./generator-main.js', import.meta.url));
/** A minute of peak is signed before its clock starts: gigabytes. */
const HEAP_MIB = 8192;

export type Done = Extract<GeneratorAnswer, { kind: 'done' }>;

export class Generator {
  readonly #child = fork(ENTRY, { execArgv: [`--max-old-space-size=${HEAP_MIB}`] });

  /** Throws what the generator failed with. */
  ask(request: GeneratorRequest): Promise<Done> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the generator ended'));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer: GeneratorAnswer) => {
        this.#child.off('exit', ended);
        if (answer.kind === 'done') resolve(answer);
        else reject(new Error(answer.message));
      });
      this.#child.send(request);
    });
  }

  /** A request that is answered with a result. */
  async measure(request: GeneratorRequest): Promise<Done & { readonly result: RunResult }> {
    const { result, ...rest } = await this.ask(request);
    if (result === null) throw new Error(`${request.kind} measured nothing`);
    return { ...rest, result };
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
