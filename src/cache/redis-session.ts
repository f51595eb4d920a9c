/**
 * The one connection to Redis, and whether Redis is asked at all: only over a connection that has just
 * shown that it takes a write, and until the first thing that goes wrong on it. Then the connection is
 * dropped with all that waits on it, and after a pause the next one is tried. So whatever Redis does,
 * what is asked of it meanwhile waits for no more than ANSWER_MS, once.
 *
 * The client's own ways to do that are off: it neither connects again nor queues.
 */
import { Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisPlace } from './redis-place.ts';

/** Milliseconds that an answer may take; the database takes about one. */
export const ANSWER_MS = 20;
/** To connect, with TLS and the password, and to write. */
const CONNECT_MS = 2_000;
/** Between two connections: twice as long after each that was of no use. */
const REST_MS_MIN = 50;
const REST_MS_MAX = 2_000;
/** A connection that lasts so long was of use. */
const STEADY_MS = 5_000;
/** Connections in a row that were of no use before somebody is told: one is lost now and then. */
const LOST_MAX = 2;
const PROBE_KEY = 'althing:probe';

export interface CacheLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export class RedisSession {
  readonly #place: RedisPlace;
  readonly #logger: CacheLogger;
  readonly #stop = new AbortController();
  #client: Redis | null = null;
  #end: (reason: string) => void = () => {};
  #lostInARow = 0;
  #isToldLost = false;

  constructor(place: RedisPlace, logger: CacheLogger) {
    this.#place = place;
    this.#logger = logger;
    void this.#run();
  }

  /** Null while Redis is not to be asked. */
  get client(): Redis | null {
    return this.#client;
  }

  /** `client` failed. What still waits on it fails, too. */
  failed(client: Redis, error: unknown): void {
    if (client === this.#client) this.#end(reasonOf(error));
  }

  close(): void {
    this.#stop.abort();
    this.#end('the node stops');
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const reason = await this.#oneConnection();
      if (signal.aborted) return;
      this.#lostInARow++;
      if (this.#lostInARow >= LOST_MAX) this.#tellLost(reason);
      const rest = Math.min(REST_MS_MAX, REST_MS_MIN * 2 ** Math.min(this.#lostInARow - 1, 10));
      await pause(rest, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Resolves with why it ended. */
  async #oneConnection(): Promise<string> {
    const client = new Redis(optionsOf(this.#place));
    const ended = new Promise<string>((resolve) => {
      this.#end = resolve;
      client.on('error', (error) => resolve(reasonOf(error)));
      client.on('end', () => resolve('the connection was closed'));
    });
    const late = setTimeout(() => this.#end(`no answer within ${CONNECT_MS} ms`), CONNECT_MS);
    const steady = setTimeout(() => this.#steady(client), STEADY_MS).unref();
    try {
      const opened = open(client, this.#place).then(() => null, reasonOf);
      const failure = await Promise.race([opened, ended]);
      clearTimeout(late);
      if (failure !== null) return failure;
      this.#client = client;
      return await ended;
    } finally {
      this.#client = null;
      clearTimeout(late);
      clearTimeout(steady);
      client.disconnect();
    }
  }

  #steady(client: Redis): void {
    if (client !== this.#client) return;
    this.#lostInARow = 0;
    if (!this.#isToldLost) return;
    this.#isToldLost = false;
    this.#logger.info(this.#where, 'Redis is used again as a cache');
  }

  #tellLost(reason: string): void {
    if (this.#isToldLost) return;
    this.#isToldLost = true;
    this.#logger.warn(
      { ...this.#where, reason },
      'Redis does not serve as a cache: going on without',
    );
  }

  get #where(): { readonly host: string; readonly port: number } {
    const { host, port } = this.#place;
    return { host, port };
  }
}

function optionsOf({ host, port, tls }: RedisPlace) {
  return {
    host,
    port,
    ...(tls ? { tls: {} } : {}),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // What follows is what #oneConnection does instead.
    retryStrategy: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Nothing but what is wanted is sent. Of a password the client would say things on the console.
    protocol: 2,
    disableClientInfo: true,
  } as const;
}

/** Rejects when it is no Redis that takes a write. */
async function open(client: Redis, { username, password, database }: RedisPlace): Promise<void> {
  await client.connect();
  if (password !== null) await client.auth(username ?? 'default', password);
  if (database !== 0) await client.select(database);
  await inTime(client.set(PROBE_KEY, '', 'PX', CONNECT_MS));
}

/** Rejects when there is no answer in time. One that came while this thread was busy is in time. */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(new Error(`no answer within ${ANSWER_MS} ms`));
    // What waits in the socket is read between a timer and an immediate.
    timer = setTimeout(() => setImmediate(giveUp), ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Never what Redis has said: it may repeat what it was sent, such as a password. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { name, message, code, command } = error as Error & {
    readonly code?: unknown;
    readonly command?: { readonly name: string };
  };
  if (typeof code === 'string') return code;
  if (name !== 'ReplyError') return message;
  const [word = ''] = /^[A-Z]+\b/.exec(message) ?? [];
  return `it answers ${command?.name.toUpperCase() ?? 'a command'} with ${word || 'an error'}`;
}
