/** A PostgreSQL server for one test file, in a folder of its own; and a logger that keeps quiet. */
import { rm } from 'node:fs/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { newFolder } from '../folder.ts';

export const quiet = { info: (): void => {}, warn: (): void => {} };

/** As long as a server may take of which some process stands still. */
const STOP_MS = 60_000;

export interface TestServer {
  readonly dir: string;
  readonly server: EmbeddedPostgres;
  /** URL of a new, empty database. */
  newDatabase(): Promise<string>;
  /** Stops the server and removes its folder. */
  end(): Promise<void>;
}

export async function startTestServer(): Promise<TestServer> {
  const dir = newFolder('test');
  const server = await startEmbeddedPostgres({ dir, port: 0, log: quiet });
  let databases = 0;
  return {
    dir,
    server,
    newDatabase: async () => {
      const name = `test_${++databases}`;
      await server.createDatabase(name);
      return server.url(name);
    },
    end: async () => {
      await server.stop(STOP_MS);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
