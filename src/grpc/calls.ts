/**
 * The work that calls have under way: counted, so that a stop can wait for it, and turned into a line
 * in the log, and nothing more to the client, where it fails inside the node.
 */
import type { EdgeLogger } from '../edge/logger.ts';
import { internalProblem, type Problem } from '../edge/problem.ts';

export class Calls {
  readonly #logger: EdgeLogger;
  #open = 0;
  #whenIdle: (() => void) | null = null;

  constructor(logger: EdgeLogger) {
    this.#logger = logger;
  }

  /** Never rejects: a failure of ours is a Problem like any other, once it is in the log. */
  async run<Answer>(
    method: string,
    work: () => Promise<Answer | Problem>,
  ): Promise<Answer | Problem> {
    this.#open++;
    try {
      return await work();
    } catch (error) {
      this.#logger.error({ err: error, method }, 'a call failed inside the node');
      return internalProblem();
    } finally {
      if (--this.#open === 0) this.#whenIdle?.();
    }
  }

  /** Calls back as soon as no work is under way. */
  onceIdle(idle: () => void): void {
    if (this.#open === 0) return idle();
    this.#whenIdle = () => {
      this.#whenIdle = null;
      idle();
    };
  }
}
