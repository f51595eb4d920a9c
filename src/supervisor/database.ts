/**
 * The node's database: a server somebody else runs, or the embedded one that the nodes of a data
 * folder share. The last node that leaves stops the embedded server, unless a launcher started it.
 */
import pg from 'pg';
import type { NodeConfig } from '../config/load.ts';
import type { Logger } from '../logger.ts';
import { startEmbeddedPostgres } from '../postgres/embedded.ts';

export interface AcquiredDatabase {
  /** Holds a password: never log it. */
  readonly url: string;
  release(): Promise<void>;
}

export async function acquireDatabase(
  config: NodeConfig,
  logger: Logger,
): Promise<AcquiredDatabase> {
  const { database } = config;
  if (database.kind === 'url') return { url: database.url, release: async () => {} };
  const { folder, port, name } = database;
  const server = await startEmbeddedPostgres({ dir: folder, port, log: logger });
  await server.createDatabase(name);
  return {
    url: server.url(name),
    release: async () => {
      if (server.adopted || (await isInUse(server.url('postgres')))) return;
      await server.stop();
    },
  };
}

/** Whether any other session is open on the server. */
async function isInUse(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const sql =
      "SELECT count(*)::int AS others FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    const { rows } = await client.query<{ others: number }>(sql);
    return (rows[0]?.others ?? 0) > 0;
  } finally {
    await client.end();
  }
}
