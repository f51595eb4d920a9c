/** A process that starts a server in the folder it is given, asks it one thing, and stops it. */
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { PostgresError } from '../../src/postgres/errors.ts';
import { quiet } from './server.ts';

async function main(dir: string): Promise<string> {
  const server = await startEmbeddedPostgres({ dir, port: 0, log: quiet });
  const client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  await client.query('SELECT 1');
  await client.end();
  await server.stop();
  return `uid ${process.getuid?.()} answered\n`;
}

try {
  process.stdout.write(await main(process.argv[2] ?? ''));
} catch (error) {
  const code = error instanceof PostgresError ? error.code : '';
  process.stdout.write(`${code} ${String(error)}\n`);
  process.exitCode = 1;
}
