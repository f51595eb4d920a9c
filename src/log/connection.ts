/**
 * Connections to the log's database, and what their errors mean.
 *
 * The URL passes through to pg as it is, so that its TLS options (sslmode, sslrootcert, sslcert,
 * sslkey) work; nothing of it but host, port, user and database ever reaches a message.
 */
import pg from 'pg';
import { LogError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 5000;
/** How long the server may take to end a session that is idle. */
const CLOSE_TIMEOUT_MS = 2000;

/** A connection with its idle failure turned into a flag and a callback. */
export interface Link {
  readonly client: pg.Client;
  /** Why the connection is gone, or null while it stands. */
  broken(): Error | null;
  /** Gives it up at once, whatever it is doing: it then counts as broken, as if it had been cut. */
  destroy(): void;
  /** Ends it once it is idle, within `CLOSE_TIMEOUT_MS`. */
  close(): Promise<void>;
}

/** `user@host:port/database`, fit for logs. Errors: `bad_url`. */
export function describeUrl(url: string): string {
  const parsed = parseUrl(url);
  return `${parsed.username || 'default user'}@${parsed.hostname}:${parsed.port || 5432}${parsed.pathname}`;
}

function parseUrl(url: string): URL {
  // The error of `new URL` would carry its input, password included.
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed !== null && /^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  throw new LogError(
    'bad_url',
    'the database URL cannot be read: write it as postgres://user:password@host:port/database, with special characters percent-encoded',
  );
}

/**
 * @param onBroken called once when the connection has broken: by itself, by `destroy`, or because it
 * did not answer in time; not after `close`.
 * Errors: `bad_url`, and whatever the server or the socket say.
 */
export async function connect(
  url: string,
  applicationName: string,
  onBroken: (error: Error) => void = () => {},
): Promise<Link> {
  parseUrl(url);
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const link = watch(client, onBroken);
  try {
    await client.connect();
    return link;
  } catch (error) {
    link.destroy();
    throw error;
  }
}

const ASKS_FOR_PASSWORD =
  'asks for a password, and none was given: write it into ALTHING_DATABASE_URL, or into a file named by PGPASSFILE';

/** What a server that can be reached refuses, by SQLSTATE, and what to do about it. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01':
    'does not know this user or refuses the password: correct them in ALTHING_DATABASE_URL or in the file named by PGPASSFILE',
  '28000':
    'refuses this user from this machine: create the role, or let it in by pg_hba.conf of the server',
  '3D000': 'does not exist: create it, or correct the name in the URL',
  '42501':
    'does not give this user the rights that the log needs: name the user that made the log, or for a new log GRANT CREATE ON DATABASE to this one',
};

function refusalOf({ code, message }: Error & { readonly code?: unknown }): string | undefined {
  // pg's own error, before anything is sent to the server.
  if (/client password must be/.test(message)) return ASKS_FOR_PASSWORD;
  return typeof code === 'string' ? REFUSALS[code] : undefined;
}

/** What a failed `connect` or start means to a caller that tries no longer. */
export function unusable(url: string, cause: Error): LogError {
  // Of several addresses tried in vain only the codes are told, not a message.
  const reason = cause.message || String((cause as { code?: unknown }).code);
  const refusal = refusalOf(cause);
  const means = refusal === undefined ? `cannot be reached: ${reason}` : `${refusal} (${reason})`;
  const message = `the database ${describeUrl(url)} ${means}`;
  return new LogError('unavailable', message, { cause });
}

function watch(client: pg.Client, onBroken: (error: Error) => void): Link {
  let failure: Error | null = null;
  let ending = false;
  const fail = (error: Error): void => {
    if (ending || failure !== null) return;
    failure = error;
    onBroken(error);
  };
  client.on('error', fail);
  client.on('end', () => fail(new Error('the connection was closed')));
  return {
    client,
    broken: () => failure,
    destroy: () => {
      fail(new Error('the connection was given up'));
      socketOf(client).destroy();
    },
    close: async () => {
      ending = true;
      const cut = setTimeout(() => socketOf(client).destroy(), CLOSE_TIMEOUT_MS);
      await client.end().catch(() => {});
      clearTimeout(cut);
    },
  };
}

function socketOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { connection: pg.Connection }).connection.stream;
}

/** Rejects with `unavailable` after `timeoutMs`, and gives the connection up, which frees the query. */
export async function withTimeout<T>(link: Link, timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      link.destroy();
      reject(new LogError('unavailable', `the database did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** SQLSTATE classes and codes after which the same statement may succeed on a new connection. */
const TRANSIENT_STATE = /^(08|53|57P|40|25006|55006|58)/;
const TRANSIENT_SOCKET =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EHOSTDOWN|ENOTFOUND|EAI_AGAIN)/;

/** Whether trying again on a new connection makes sense. */
export function isTransient(error: unknown): boolean {
  if (error instanceof LogError) return error.code === 'unavailable';
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code !== '') {
    return TRANSIENT_STATE.test(code) || TRANSIENT_SOCKET.test(code);
  }
  return /connection|timeout|not queryable/i.test(String(message));
}

export function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown }).code === '23505';
}
