/** A database of its own with the log of a node, and a session that looks at the tables. */
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import step from '../../src/read-model/worker.ts';
import { openTestLog } from '../log/harness.ts';
import type { TestServer } from '../postgres/server.ts';

export interface Bed {
  readonly url: string;
  readonly sql: pg.Client;
}

export async function newBed(t: ExecutionContext, server: TestServer): Promise<Bed> {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const sql = new pg.Client({ connectionString: url });
  await sql.connect();
  // The worker's sessions are of the test before.
  await step(null);
  t.teardown(async () => {
    await sql.end();
    await node.close();
  });
  return { url, sql };
}
