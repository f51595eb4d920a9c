/**
 * Runs the projection while the node runs: told of new blocks by NOTIFY, a step at a time, on a thread
 * of its own, and slowly while the node has work.
 *
 * D4. The projection has no part in finality: it takes what is durable, waits for nobody, and nobody
 *     waits for it. When it fails it tries again, and says so.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pgListen, { type Subscriber } from 'pg-listen';
import { Piscina } from 'piscina';
import type { LogLogger } from '../log/errors.ts';
import type { Step } from './projection.ts';
import { restMs } from './resting.ts';
import type { Reached } from './schema.ts';
import { NOTHING_REACHED } from './schema.ts';
import type { ProjectionTask } from './worker.ts';

/** Told by the node with the height of the newest block that it has executed. */
export const COMMITTED_CHANNEL = 'althing_committed';

export interface ProjectorOptions {
  readonly task: ProjectionTask;
  readonly logger: LogLogger;
  /** Transactions that the node executes in a second. */
  readonly load: () => number;
}

/** Without being told: what became durable a little after its notification. */
const LOOK_MS = 1_000;
const RETRY_MS = 2_000;

export class Projector {
  readonly #options: ProjectorOptions;
  readonly #pool = new Piscina<ProjectionTask | null, Step | null>({
    filename: new URL('./worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Infinity,
  });
  readonly #stop = new AbortController();
  #subscriber: Subscriber | null = null;
  /** Says that there may be more than the last step has seen. */
  #tell = (): void => {};
  #running: Promise<void> = Promise.resolve();
  /** As of the last step. */
  reached: Reached = NOTHING_REACHED;
  /** Why the last step failed; null when it did not. */
  failure: string | null = null;

  constructor(options: ProjectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#subscriber === null) await this.#listen();
      const started = performance.now();
      const told = new Promise<void>((resolve) => (this.#tell = resolve));
      const step = await this.#step();
      if (signal.aborted) return;
      if (step === null) await this.#rest(RETRY_MS);
      else await this.#aside(step, performance.now() - started, told);
    }
  }

  /** After a step that took `ms`. */
  async #aside(step: Step, ms: number, told: Promise<void>): Promise<void> {
    await this.#rest(restMs(step, ms, this.#options.load()));
    if (step.isAtEnd) await Promise.race([told, this.#rest(LOOK_MS)]);
  }

  async #step(): Promise<Step | null> {
    try {
      const step = await this.#pool.run(this.#options.task);
      if (step === null) return null;
      this.reached = step.reached;
      this.failure = null;
      return step;
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.failure !== reason && !this.#stop.signal.aborted) {
      this.#options.logger.warn({ reason }, 'the read model does not follow; trying again');
    }
    this.failure = reason;
  }

  async #listen(): Promise<void> {
    const subscriber = pgListen.default(
      { connectionString: this.#options.task.url, application_name: 'althing listener' },
      { retryTimeout: 5_000, paranoidChecking: 30_000 },
    );
    subscriber.notifications.on(COMMITTED_CHANNEL, () => this.#tell());
    // Emitted when it has given up: the next look begins with a new one.
    subscriber.events.on('error', () => {
      if (this.#subscriber === subscriber) this.#subscriber = null;
      void subscriber.close().catch(() => {});
    });
    try {
      await subscriber.connect();
      await subscriber.listenTo(COMMITTED_CHANNEL);
      this.#subscriber = subscriber;
    } catch (error) {
      await subscriber.close().catch(() => {});
      this.#failed(error);
    }
  }

  async #rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#tell();
    await this.#running;
    await this.#subscriber?.close();
    await this.#pool.run(null).catch(() => {});
    await this.#pool.destroy();
  }
}
