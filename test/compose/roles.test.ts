/** The database roles of the Compose project, on a real server. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { newFolder } from '../folder.ts';

const PREPARE = fileURLToPath(new URL('../../../compose/prepare.mjs', import.meta.url));
const project = newFolder('roles');
const database = join(project, 'data/database');
const log = { info: () => {}, warn: () => {} };
let server: EmbeddedPostgres;

async function query(connection: pg.ClientConfig, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** How node `id` connects: by the password in its pgpass file. */
function connectionOf(id: string, name = id.replaceAll('-', '_')): pg.ClientConfig {
  const line = readFileSync(join(database, `${id}.pgpass`), 'utf8').trim();
  const [host, , , user, password] = line.split(':');
  if (host !== 'postgres') throw new Error(`pgpass is for ${host}`);
  return { host: '127.0.0.1', port: server.port, user, password, database: name };
}

test.before(async () => {
  execFileSync(process.execPath, [PREPARE, project]);
  server = await startEmbeddedPostgres({ dir: join(project, 'postgres'), port: 0, log });
  for (const statement of readFileSync(join(database, 'roles.sql'), 'utf8').split(';')) {
    if (statement.trim() !== '')
      await query({ connectionString: server.url('postgres') }, statement);
  }
});

test.after.always(() => server.stop(60_000));

test('a node owns its database and may make schemas and triggers in it', async (t) => {
  await query(connectionOf('node-2'), 'CREATE SCHEMA althing');
  const { rows } = await query(connectionOf('node-2'), 'SELECT current_user AS who');
  t.deepEqual(rows, [{ who: 'node_2' }]);
});

test('a node cannot enter the database of another', async (t) => {
  await t.throwsAsync(query(connectionOf('node-2', 'node_3'), 'SELECT 1'), {
    message: /permission denied for database/,
  });
});

test('a node has at most 20 connections and is no superuser', async (t) => {
  const sql = `SELECT rolconnlimit, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'node_4'`;
  const { rows } = await query({ connectionString: server.url('postgres') }, sql);
  t.deepEqual(rows, [
    { rolconnlimit: 20, rolsuper: false, rolcreatedb: false, rolcreaterole: false },
  ]);
});
