/**
 * The log of one node, held by its main thread: the schema, the identity, the remembered heads.
 *
 * L14. While a `NodeLog` is open, its session holds the database's identity lock. A lost session takes
 *     the lock again; if that fails, `onLost` is called once, and the process must end (exit code 5).
 *     The lock tells people early; what keeps the log safe is the key on (stream, seq).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openActorLog, type ActorLog, type ActorLogOptions, type ReadBounds } from './actor-log.ts';
import {
  connect,
  describeUrl,
  isTransient,
  unusable,
  withTimeout,
  type Link,
} from './connection.ts';
import { LogError, type LogLogger } from './errors.ts';
import { checkHeads, loadHeads, readHeads, saveHeads } from './heads.ts';
import { assertDurable } from './safety.ts';
import { prepareSchema, type LogIdentity } from './schema.ts';
import { newRun, takeLock, type SessionLock } from './session-lock.ts';
import { verifyLog, type VerifyProgress, type VerifyResult } from './verify.ts';
import { SESSION_SETTINGS } from './writer-session.ts';

export interface NodeLogOptions extends LogIdentity {
  /** Holds a password: never log it. */
  readonly url: string;
  /** The identity is gone: end the process with exit code 5. */
  readonly onLost: (error: LogError) => void;
  readonly logger: LogLogger;
  /** Remembers the heads of all streams, so that a cut-off or restored log is noticed. */
  readonly headsFile?: string;
  /** How often they are remembered; default 5000. */
  readonly headsEveryMs?: number;
  /** How long to wait for an earlier process to be gone; default 2000. */
  readonly takeoverMs?: number;
  /** How long a lost session may take to come back; default 15 000. */
  readonly reconnectMs?: number;
  /** After how long without an answer the session counts as lost; default 10 000. */
  readonly answerMs?: number;
}

export interface NodeLog {
  /** What a worker thread needs for `openActorLog`. */
  actorOptions(actor: string): ActorLogOptions;
  /** Opens an actor's log in this thread. */
  actorLog(actor: string, reads?: ReadBounds): Promise<ActorLog>;
  /** Reads and checks everything. Errors: `log_altered`. */
  verify(progress?: (progress: VerifyProgress) => void): Promise<VerifyResult>;
  /** Whether the session stands; what a readiness check shows. */
  connected(): boolean;
  /** Call after the actors have closed theirs. */
  close(): Promise<void>;
}

const HEADS_EVERY_MS = 5000;
const TAKEOVER_MS = 2000;
const RECONNECT_MS = 15_000;
const ANSWER_MS = 10_000;
const POLL_MS = 50;

/**
 * Connects, brings the schema up to date and takes the identity.
 * Errors: `identity_taken`, `wrong_identity`, `wrong_schema`, `unsafe_server`, `log_altered`,
 * `bad_heads`, `bad_url`, `unavailable`.
 */
export async function openLog(options: NodeLogOptions): Promise<NodeLog> {
  const run = newRun();
  const holder = new IdentityHolder(options, run);
  await holder.open();
  const { url, clusterId, publicKey, headsFile, logger } = options;
  const shared = { url, clusterId, publicKey, run };
  const actorOptions = (actor: string): ActorLogOptions => ({ ...shared, actor });
  return {
    actorOptions,
    actorLog: (actor, reads) =>
      openActorLog({ ...actorOptions(actor), ...(reads === undefined ? {} : { reads }) }, logger),
    verify: (progress) =>
      verifyLog({
        url,
        owner: { clusterId, publicKey },
        ...(headsFile === undefined ? {} : { headsFile }),
        ...(progress === undefined ? {} : { progress }),
      }),
    connected: () => holder.connected(),
    close: () => holder.close(),
  };
}

class IdentityHolder {
  readonly #options: NodeLogOptions;
  readonly #lock: SessionLock;
  #link: Link | null = null;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: NodeLogOptions, run: string) {
    this.#options = options;
    const taken = `another process runs with this node's key (${options.publicKey}) on the same database: stop it first`;
    this.#lock = { name: 'identity', run, taken };
  }

  connected(): boolean {
    return this.#link?.broken() === null;
  }

  async open(): Promise<void> {
    await this.#take(this.#options.takeoverMs ?? TAKEOVER_MS);
    const { logger, url, headsEveryMs } = this.#options;
    logger.info({ database: describeUrl(url) }, 'the log is open');
    this.#timer = setInterval(() => void this.#remember(), headsEveryMs ?? HEADS_EVERY_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed = true;
    await this.#remember();
    await this.#link?.close();
  }

  async #take(lockMs: number): Promise<void> {
    const { url, reconnectMs, answerMs } = this.#options;
    const deadline = performance.now() + (reconnectMs ?? RECONNECT_MS);
    for (;;) {
      try {
        const link = await connect(url, 'althing identity', () => void this.#lost());
        await withTimeout(link, answerMs ?? ANSWER_MS, this.#prepare(link, lockMs)).catch(
          (error) => {
            link.destroy();
            throw error;
          },
        );
        return await this.#hold(link);
      } catch (error) {
        if (error instanceof LogError && !isTransient(error)) throw error;
        if (!isTransient(error) || this.#closed) throw unusable(url, error as Error);
        if (performance.now() > deadline) throw unusable(url, error as Error);
      }
      await pause(POLL_MS);
    }
  }

  async #hold(link: Link): Promise<void> {
    if (this.#closed) return link.close();
    const broken = link.broken();
    // It could not tell us before it was ours.
    if (broken !== null) throw broken;
    this.#link = link;
  }

  async #prepare(link: Link, lockMs: number): Promise<void> {
    const { client } = link;
    await client.query(SESSION_SETTINGS);
    await assertDurable(client);
    await prepareSchema(client, this.#options);
    await takeLock(client, this.#lock, lockMs);
    const { headsFile } = this.#options;
    const remembered = headsFile === undefined ? null : await loadHeads(headsFile);
    if (remembered !== null) await checkHeads(client, remembered);
  }

  /** The session broke, or did not answer in time: take the identity again, or tell that it is lost. */
  async #lost(): Promise<void> {
    if (this.#closed || this.#link === null) return;
    this.#link = null;
    const { logger, takeoverMs, onLost } = this.#options;
    logger.warn({}, 'the session that holds the identity was lost; taking it again');
    try {
      await this.#take(takeoverMs ?? TAKEOVER_MS);
      if (!this.#closed) logger.info({}, 'the identity is held again');
    } catch (error) {
      if (this.#closed) return;
      const lost = error instanceof LogError ? error : unusable(this.#options.url, error as Error);
      onLost(lost);
    }
  }

  /** One write at a time; a failure costs freshness only. */
  #remember(): Promise<void> {
    this.#saving = this.#saving
      .then(() => this.#saveHeads())
      .catch((error: Error) => {
        this.#options.logger.warn(
          { reason: error.message },
          'the heads of the log could not be remembered',
        );
      });
    return this.#saving;
  }

  async #saveHeads(): Promise<void> {
    const { headsFile, answerMs = ANSWER_MS } = this.#options;
    const link = this.#link;
    if (headsFile === undefined || link === null || link.broken() !== null) return;
    const heads = await withTimeout(link, answerMs, readHeads(link.client, this.#options));
    await saveHeads(headsFile, heads);
  }
}
