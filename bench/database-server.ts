/**
 * A PostgreSQL server of a bench cluster, which can be killed and started again: on its port, with all
 * that it had acknowledged.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import {
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../src/postgres/embedded.ts';

const POLL_MS = 20;
const quiet = { info: () => {}, warn: () => {} };

export class DatabaseServer {
  readonly #folder: string;
  #server: EmbeddedPostgres;
  /** What is being done to it: a start that was cut short would leave a server behind. */
  #doing: Promise<void> = Promise.resolve();

  private constructor(folder: string, server: EmbeddedPostgres) {
    this.#folder = folder;
    this.#server = server;
  }

  /** Leaves nothing behind when it fails. */
  static async start(folder: string, signal?: AbortSignal): Promise<DatabaseServer> {
    try {
      const options = { dir: folder, port: 0, log: quiet, signal };
      return new DatabaseServer(folder, await startEmbeddedPostgres(options));
    } catch (error) {
      await stopEmbeddedPostgres({ dir: folder, log: quiet });
      throw error;
    }
  }

  get pid(): number {
    return this.#server.pid;
  }

  url(database: string): string {
    return this.#server.url(database);
  }

  createDatabase(name: string): Promise<void> {
    return this.#server.createDatabase(name);
  }

  /**
   * Resolves once it has let go of the node with that database. One that is slow to hear that a node was
   * killed would have the next one end as the second with that identity.
   */
  async leftBy(database: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    const sql = `SELECT FROM pg_stat_activity
      WHERE datname = $1 AND application_name LIKE 'althing identity %'`;
    while ((await client.query(sql, [database])).rowCount !== 0) await pause(POLL_MS);
    await client.end();
  }

  /** With SIGKILL, as when its machine loses power. Resolves when it is gone. */
  kill(): Promise<void> {
    return this.#then(async () => {
      if (isAlive(this.#server.pid)) process.kill(this.#server.pid, 'SIGKILL');
      await this.#server.stop();
    });
  }

  /**
   * Resolves when it has recovered and answers, at once if it runs. Rejects when it cannot, as without
   * room on its disk.
   */
  restart(): Promise<void> {
    return this.#then(async () => {
      if (isAlive(this.#server.pid)) return;
      // What the one that died has left behind.
      await this.#server.stop();
      const { port } = this.#server;
      this.#server = await startEmbeddedPostgres({ dir: this.#folder, port, log: quiet });
    });
  }

  /** @param patienceMs what it has to end in an orderly way */
  stop(patienceMs?: number): Promise<void> {
    return this.#then(() => this.#server.stop(patienceMs));
  }

  #then(act: () => Promise<void>): Promise<void> {
    const done = this.#doing.then(act);
    this.#doing = done.catch(() => {});
    return done;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
