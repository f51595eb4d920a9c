/**
 * The embedded PostgreSQL server: what a node runs when no database URL is given.
 *
 * It belongs to a folder, not to the process that started it: it has a session of its own, survives
 * the starter, and whoever comes next adopts it. Several may start it at once: one of them wins, the
 * others adopt what it started. Whoever releases it last stops it (users.ts).
 *
 * O1. A server is adopted only if its process works in our data folder and it proves, over a
 *     connection with our password, that it serves that folder.
 * O2. It listens on 127.0.0.1 only and has no socket in the file system.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createDatabase, refusalOf } from './admin.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { PostgresError, type PostgresLogger } from './errors.ts';
import {
  dataDirOf,
  ensureCluster,
  ensurePassword,
  removeScratch,
  SUPERUSER,
} from './initialise.ts';
import { inspectPostmaster, pidFile, worksIn, type Postmaster } from './postmaster.ts';
import { chooseRunAs, type RunAs } from './run-as.ts';
import { spawnServer, type ServerProcess } from './server-process.ts';
import { postgresqlConf } from './settings.ts';
import { stopPostmaster } from './stop.ts';
import { enter, isUsed } from './users.ts';

export interface EmbeddedPostgresOptions {
  /** Everything of the server lives below it; made with mode 0700 if it is not there. */
  readonly dir: string;
  /** TCP port on 127.0.0.1; 0 takes a free one. A server that already runs keeps the port it has. */
  readonly port: number;
  readonly log: PostgresLogger;
  /** How long start-up, including recovery after a crash, may take; default 60 000. */
  readonly startTimeoutMs?: number;
  /** Ends the start with its reason; what was started by then is ended first. */
  readonly signal?: AbortSignal | undefined;
}

export interface EmbeddedPostgres {
  readonly pid: number;
  readonly port: number;
  /** It ran before we came. */
  readonly adopted: boolean;
  /** Connection URL with the password in it: never log it. */
  url(database: string): string;
  /** Does nothing if the database exists. Errors: `bad_name`. */
  createDatabase(name: string): Promise<void>;
  /**
   * Fast shutdown, whoever else uses the server; returns when it is gone. Default of the bound: 12 000.
   * Errors: `stop_failed`.
   */
  stop(timeoutMs?: number): Promise<void>;
  /** Leaves the server to its other users, or stops it if there are none. Errors: `stop_failed`. */
  release(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

/**
 * A process that exits before it has released the server leaves it then: nobody has to see to that.
 * Errors: `PostgresError` with any of its codes.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const password = await ensurePassword(dir);
  return new Starter({ ...options, dir }, password).start();
}

/** Stops the server of the folder, if one runs, whoever uses it. Errors: `stop_failed`. */
export async function stopEmbeddedPostgres(
  { dir, log }: Pick<EmbeddedPostgresOptions, 'dir' | 'log'>,
  timeoutMs?: number,
): Promise<void> {
  const dataDir = dataDirOf(resolve(dir));
  const found = await inspectPostmaster(dataDir);
  if (found.kind === 'live') await stopPostmaster(dataDir, found.postmaster.pid, log, timeoutMs);
}

/**
 * Said in the URL, or pg would take them from PGSSLMODE, PGSSLNEGOTIATION, PGOPTIONS and PGREPLICATION,
 * which the user has set for another server. An empty value would not count as said.
 */
const OURS = 'sslmode=disable&sslnegotiation=postgres&options=%20&replication=false';

function urlOf(password: string, port: number, database: string): string {
  const place = `127.0.0.1:${port}/${encodeURIComponent(database)}`;
  return `postgres://${SUPERUSER}:${password}@${place}?${OURS}`;
}

class Starter {
  readonly #options: EmbeddedPostgresOptions;
  readonly #password: string;
  readonly #dataDir: string;
  readonly #logFile: string;
  readonly #startedAt = Date.now();
  readonly #deadline: number;
  #child: ServerProcess | null = null;
  /** Process of the server that answered us. */
  #pid: number | null = null;
  /** Why it did not when it was asked last, if it was. */
  #refusal: string | null = null;
  #leave: () => void = () => {};
  readonly #onExit = (): void => {
    this.#leave();
    if (!isUsed(this.#options.dir)) this.#endUnwaited();
  };

  constructor(options: EmbeddedPostgresOptions, password: string) {
    this.#options = options;
    this.#password = password;
    this.#dataDir = dataDirOf(options.dir);
    this.#logFile = join(options.dir, 'server.log');
    this.#deadline = this.#startedAt + (options.startTimeoutMs ?? START_TIMEOUT_MS);
  }

  async start(): Promise<EmbeddedPostgres> {
    const { dir } = this.#options;
    // Before anything else, so that nobody who leaves now takes away what we are about to adopt.
    this.#leave = enter(dir);
    process.once('exit', this.#onExit);
    try {
      return this.#handle(await this.#running());
    } catch (error) {
      this.#leave();
      if (!isUsed(dir)) await this.#child?.end();
      process.off('exit', this.#onExit);
      // A terminal's Ctrl-C ends initdb, too: that is no failure of its own.
      this.#options.signal?.throwIfAborted();
      throw error;
    }
  }

  /** For a process that exits: what we started, however far, or adopted is told to stop. */
  #endUnwaited(): void {
    void this.#child?.end();
    if (this.#pid !== null && worksIn(this.#pid, this.#dataDir)) process.kill(this.#pid, 'SIGINT');
  }

  /** Looks and acts until a server of ours answers: adopt a live one, else start one. */
  async #running(): Promise<Postmaster> {
    for (;;) {
      this.#options.signal?.throwIfAborted();
      const found = await inspectPostmaster(this.#dataDir);
      if (found.kind === 'live') {
        if (await this.#answers(found.postmaster)) return found.postmaster;
      } else if (this.#child === null) {
        if (found.kind === 'stale') await this.#dropStalePidFile(found.pid);
        await this.#spawn();
      } else if (this.#child.ended()) {
        await this.#explainEnd(this.#child);
      }
      if (Date.now() > this.#deadline) throw this.#timeout();
      await pause(POLL_MS);
    }
  }

  async #answers({ ready, port }: Postmaster): Promise<boolean> {
    if (!ready) return false;
    const url = urlOf(this.#password, port, 'postgres');
    this.#refusal = await refusalOf(url, this.#dataDir);
    return this.#refusal === null;
  }

  async #spawn(): Promise<void> {
    const binaries: Binaries = await findBinaries();
    const as: RunAs = await chooseRunAs(this.#options.dir, binaries);
    await ensureCluster(this.#options.dir, this.#password, binaries, as);
    await removeScratch(this.#options.dir, this.#startedAt - 3_600_000);
    const port = this.#options.port === 0 ? await freePort() : this.#options.port;
    await writeFile(join(this.#dataDir, 'postgresql.conf'), postgresqlConf({ port }), {
      mode: 0o600,
    });
    this.#options.signal?.throwIfAborted();
    this.#child = await spawnServer(this.#dataDir, this.#logFile, binaries, as);
  }

  /**
   * The server refuses to start while a process with the number in `postmaster.pid` lives, although
   * that process may have nothing to do with it.
   */
  async #dropStalePidFile(pid: number): Promise<void> {
    this.#options.log.warn({ pid }, 'PostgreSQL did not stop cleanly; it recovers now');
    if (isAlive(pid)) await rm(pidFile(this.#dataDir), { force: true });
  }

  /** Returns when another attempt makes sense. */
  async #explainEnd(child: ServerProcess): Promise<void> {
    const output = await child.output();
    this.#child = null;
    if (/lock file "postmaster.pid" already exists/.test(output)) return;
    if (/pre-existing shared memory block/.test(output)) return;
    if (/Address already in use|could not create any TCP\/IP sockets/.test(output)) {
      if (this.#options.port === 0) return;
      throw new PostgresError(
        'port_taken',
        `port ${this.#options.port} on 127.0.0.1 is taken by another program: stop that program, or choose another port with --postgres-port`,
      );
    }
    const reason = lastErrors(output);
    throw new PostgresError(
      'start_failed',
      `PostgreSQL did not start: ${reason}; its log is ${this.#logFile}`,
    );
  }

  #timeout(): PostgresError {
    const seconds = Math.round((Date.now() - this.#startedAt) / 1000);
    const why = this.#refusal === null ? '' : ` (${this.#refusal})`;
    const message = `PostgreSQL in ${this.#dataDir} did not answer within ${seconds} s${why}; see its log ${this.#logFile}`;
    return new PostgresError('start_timeout', message);
  }

  #handle({ pid, port }: Postmaster): EmbeddedPostgres {
    this.#pid = pid;
    const adopted = this.#child?.pid !== pid;
    const { dir, log } = this.#options;
    log.info({ pid, port, adopted }, adopted ? 'PostgreSQL was running' : 'PostgreSQL started');
    const url = (database: string): string => urlOf(this.#password, port, database);
    const stop = async (timeoutMs?: number): Promise<void> => {
      this.#leave();
      await stopEmbeddedPostgres({ dir, log }, timeoutMs);
      // The process is ours to reap, else it stays behind as a zombie.
      while (!adopted && this.#child?.ended() === false) await pause(POLL_MS);
      process.off('exit', this.#onExit);
    };
    return {
      pid,
      port,
      adopted,
      url,
      createDatabase: (name) => createDatabase(url('postgres'), name),
      stop,
      release: async () => {
        this.#leave();
        if (!isUsed(dir)) await stop();
        process.off('exit', this.#onExit);
      },
    };
  }
}

function lastErrors(output: string): string {
  const lines = output.split('\n').filter((line) => /FATAL|PANIC|ERROR|HINT|cannot/.test(line));
  const text = lines.length > 0 ? lines.slice(-3).join(' ') : output.trim().slice(-300);
  return text || 'it ended without a word';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A port that was free a moment ago; the caller tries again if it no longer is. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
