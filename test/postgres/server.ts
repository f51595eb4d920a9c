/** A PostgreSQL server for one test file, in a folder of its own; and a logger that keeps quiet. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/postgres/embedded.ts';

export const quiet = { info: (): void => {}, warn: (): void => {} };

/** A new folder with mode 0700. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'althing-test-'));
}

export interface TestServer {
  readonly dir: string;
  readonly server: EmbeddedPostgres;
  /** URL of a new, empty database. */
  newDatabase(): Promise<string>;
  /** Stops the server and removes its folder. */
  end(): Promise<void>;
}

export async function startTestServer(): Promise<TestServer> {
  const dir = await newFolder();
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
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
