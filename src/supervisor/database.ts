/**
 * The node's database: a server somebody else runs, or the embedded one that the nodes of a data
 * folder share. Whoever leaves that last, a node or their launcher, stops it.
 */
import type { NodeConfig } from '../config/load.ts';
import type { Logger } from '../logger.ts';
import { startEmbeddedPostgres } from '../postgres/embedded.ts';

export interface AcquiredDatabase {
  /** Holds a password: never log it. */
  readonly url: string;
  release(): Promise<void>;
}

/** Rejects with the signal's reason once that is aborted; nothing that was started stays behind then. */
export async function acquireDatabase(
  config: NodeConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<AcquiredDatabase> {
  const { database } = config;
  if (database.kind === 'url') {
    return { url: database.url, release: async () => {} };
  }
  const { folder, port, name } = database;
  const server = await startEmbeddedPostgres({ dir: folder, port, log: logger, signal });
  try {
    await server.createDatabase(name);
  } catch (error) {
    await server.release();
    throw error;
  }
  return { url: server.url(name), release: () => server.release() };
}
