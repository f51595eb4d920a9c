/**
 * The PostgreSQL server that the four nodes share, kept alive while the cluster runs: should its
 * process die, it is started again on the same port, and the nodes reconnect.
 */
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/embedded.ts';
import type { PostgresLogger } from '../postgres/errors.ts';
import { join } from 'node:path';
import type { ClusterPlan } from './plan.ts';

const CHECK_MS = 2_000;

export class Database {
  readonly #plan: ClusterPlan;
  readonly #say: (message: string) => void;
  #server: EmbeddedPostgres | null = null;
  #starting: Promise<EmbeddedPostgres> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(plan: ClusterPlan, say: (message: string) => void) {
    this.#plan = plan;
    this.#say = say;
  }

  /** Starts the server, or adopts the one that runs, and makes the databases that are missing. */
  async start(names: readonly string[]): Promise<void> {
    const server = await this.#ensure();
    for (const name of names) await server.createDatabase(name);
    this.#checkLater();
  }

  /** Connection URL with the password in it: never show it. */
  url(name: string): string {
    if (this.#server === null) throw new Error('the database server has not started yet');
    return this.#server.url(name);
  }

  /** Resolves when the server is gone, also when it was just starting. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const server = await (this.#starting ?? Promise.resolve(this.#server)).catch(() => null);
    await server?.stop();
    this.#server = null;
  }

  /** The last resort of a launcher that must end now: PostgreSQL shuts down by itself. */
  abandon(): void {
    if (this.#server !== null && isAlive(this.#server.pid))
      process.kill(this.#server.pid, 'SIGINT');
  }

  async #ensure(): Promise<EmbeddedPostgres> {
    const { dataDir, postgresPort } = this.#plan;
    const warn: PostgresLogger['warn'] = (_fields, message) => this.#say(message);
    const log = { info: () => {}, warn };
    this.#starting = startEmbeddedPostgres({
      dir: join(dataDir, 'postgres'),
      port: postgresPort,
      log,
    });
    try {
      this.#server = await this.#starting;
      return this.#server;
    } finally {
      this.#starting = null;
    }
  }

  #checkLater(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#check(), CHECK_MS);
  }

  async #check(): Promise<void> {
    if (this.#server !== null && !isAlive(this.#server.pid)) {
      this.#say('PostgreSQL died; it is started again');
      await this.#ensure().catch((error: unknown) => this.#say(`PostgreSQL: ${String(error)}`));
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
