/**
 * The PostgreSQL server that the four nodes share, kept alive while the cluster runs: should its
 * process die, it is started again on the same port, and the nodes reconnect.
 */
import { join } from 'node:path';
import {
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../postgres/embedded.ts';
import { messageOf } from './failure.ts';
import type { ClusterPlan } from './plan.ts';

const CHECK_MS = 2_000;

export class Database {
  readonly #options: EmbeddedPostgresOptions;
  readonly #say: (message: string) => void;
  readonly #stopping = new AbortController();
  #server: EmbeddedPostgres | null = null;
  #starting: Promise<EmbeddedPostgres> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor({ dataDir, postgresPort }: ClusterPlan, say: (message: string) => void) {
    this.#say = say;
    this.#options = {
      dir: join(dataDir, 'postgres'),
      port: postgresPort,
      log: { info: () => {}, warn: (_fields, message) => say(message) },
    };
  }

  /** Starts the server, or adopts the one that runs. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#ensure(signal);
    this.#checkLater();
  }

  /**
   * Resolves when no server runs on the data, also none that an earlier launcher left or that was just
   * being started again. Errors: `stop_failed`.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#starting?.catch(() => {});
    if (this.#server === null) await stopEmbeddedPostgres(this.#options, timeoutMs);
    else await this.#server.stop(timeoutMs);
    this.#server = null;
  }

  /** The last resort of a launcher that must end now: PostgreSQL shuts down by itself. */
  abandon(): void {
    if (this.#server !== null && isAlive(this.#server.pid))
      process.kill(this.#server.pid, 'SIGINT');
  }

  async #ensure(signal: AbortSignal): Promise<void> {
    this.#starting = startEmbeddedPostgres({ ...this.#options, signal });
    try {
      this.#server = await this.#starting;
    } finally {
      this.#starting = null;
    }
  }

  #couldNot(error: unknown): void {
    if (!this.#stopping.signal.aborted) this.#say(`PostgreSQL: ${messageOf(error)}`);
  }

  #checkLater(): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#check(), CHECK_MS);
  }

  async #check(): Promise<void> {
    if (this.#server !== null && !isAlive(this.#server.pid)) {
      this.#say('PostgreSQL died; it is started again');
      await this.#ensure(this.#stopping.signal).catch((error) => this.#couldNot(error));
    }
    this.#checkLater();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
