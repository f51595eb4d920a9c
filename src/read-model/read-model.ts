/** The read model of a node: the projection that fills it, and the questions that it answers. */
import pg from 'pg';
import type { Cache } from '../cache/cache.ts';
import type { LogLogger } from '../log/errors.ts';
import { lasts, mayLast, nameOf } from './lasting.ts';
import { COMMITTED_CHANNEL, Projector } from './projector.ts';
import { list, prepareSession, type ListPage } from './pages.ts';
import type { List, Parameters } from './queries.ts';
import type { ProjectionTask } from './worker.ts';

export interface ReadModelOptions {
  readonly task: ProjectionTask;
  readonly logger: LogLogger;
  readonly cache: Cache;
  /** Transactions that the node executes in a second. */
  readonly load: () => number;
  readonly executedHeight: () => number;
}

export interface ReadModelStatus {
  /** Everything up to this height is in the tables, but for transactions of the last blocks. */
  readonly height: number;
  readonly executedHeight: number;
  /** Blocks. */
  readonly behind: number;
  readonly failure: string | null;
}

const SESSIONS_MAX = 4;
const ANSWER_MS = 3_000;
/** Told at most so often. */
const NOTIFY_MS = 100;

export class ReadModel {
  readonly #options: ReadModelOptions;
  readonly #pool: pg.Pool;
  /** Waits for no question. */
  readonly #notifier: pg.Pool;
  readonly #projector: Projector;
  #notifying: NodeJS.Timeout | null = null;
  #height = 0;

  constructor(options: ReadModelOptions) {
    this.#options = options;
    this.#projector = new Projector(options);
    this.#pool = poolOf(options.task.url, 'althing read model', SESSIONS_MAX);
    this.#notifier = poolOf(options.task.url, 'althing notifier', 1);
  }

  start(): void {
    this.#projector.start();
  }

  /** A block was executed: whoever listens is told, soon and together with those that follow. */
  executed(height: number): void {
    this.#height = height;
    this.#notifying ??= setTimeout(() => void this.#notify(), NOTIFY_MS);
  }

  async #notify(): Promise<void> {
    this.#notifying = null;
    const payload = JSON.stringify({ height: this.#height });
    // Who is not told looks by itself after a second.
    await this.#notifier
      .query('SELECT pg_notify($1, $2)', [COMMITTED_CHANNEL, payload])
      .catch((error: Error) => {
        this.#options.logger.warn({ reason: error.message }, 'nobody could be notified');
      });
  }

  status(): ReadModelStatus {
    const executedHeight = this.#options.executedHeight();
    const { reached, failure } = this.#projector;
    const behind = Math.max(0, executedHeight - reached.height);
    return { height: reached.height, executedHeight, behind, failure };
  }

  /** A question failed. */
  told({ message: reason }: Error): void {
    this.#options.logger.warn({ reason }, 'the read model could not answer');
  }

  /** From the cache where it lasts (D5). */
  async list(what: List, parameters: Parameters): Promise<ListPage> {
    const { cache } = this.#options;
    const { generation } = this.#projector.reached;
    if (generation !== '' && mayLast(what, parameters)) {
      const kept = await cache.get(nameOf(generation, what, parameters));
      if (kept !== null) return JSON.parse(Buffer.from(kept).toString()) as ListPage;
    }
    const { page, extent } = await list(this.#pool, what, parameters);
    if (extent !== null && lasts(what, parameters, page, extent)) {
      const name = nameOf(extent.generation, what, parameters);
      cache.set(name, Buffer.from(JSON.stringify(page)));
    }
    return page;
  }

  async close(): Promise<void> {
    if (this.#notifying !== null) clearTimeout(this.#notifying);
    await this.#projector.close();
    await Promise.all([this.#pool.end(), this.#notifier.end()]);
  }
}

function poolOf(url: string, name: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    onConnect: prepareSession,
    max,
    connectionTimeoutMillis: ANSWER_MS,
    statement_timeout: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  // An idle session that breaks is replaced by the pool.
  pool.on('error', () => {});
  return pool;
}
