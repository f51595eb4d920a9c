/**
 * The few statements that the owner of the embedded server runs on it.
 */
import { realpath } from 'node:fs/promises';
import pg from 'pg';
import { PostgresError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 5000;
const DUPLICATE_DATABASE = new Set(['42P04', '23505']);
const NAME = /^[a-z][a-z0-9_-]{0,62}$/;

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: 60_000,
    application_name: 'althing admin',
  });
  // Without a listener, a connection that breaks between two queries ends the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Why the server at `url` does not accept us or does not serve `dataDir`; null: it does. Never throws. */
export async function refusalOf(url: string, dataDir: string): Promise<string | null> {
  try {
    return await withClient(url, async (client) => {
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      const served = rows[0]?.data_directory ?? '';
      return (await realpath(served)) === (await realpath(dataDir)) ? null : `it serves ${served}`;
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Creates `name` unless it is there. Errors: `bad_name`. */
export async function createDatabase(adminUrl: string, name: string): Promise<void> {
  if (!NAME.test(name)) {
    const message = `"${name}" cannot name a database: use a to z, 0 to 9, "_" and "-", starting with a letter, at most 63 characters`;
    throw new PostgresError('bad_name', message);
  }
  await withClient(adminUrl, async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount !== 0) return;
    await client.query(`CREATE DATABASE "${name}"`).catch((error: { code?: string }) => {
      if (!DUPLICATE_DATABASE.has(error.code ?? '')) throw error;
    });
  });
}
