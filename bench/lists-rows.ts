/**
 * A read model of so many rows a table, made by the database itself. Some values are rare, and stand at
 * the far end of the lists: whoever looks for them by walking goes through all of it.
 */
import pg from 'pg';
import { prepareReadModel } from '../src/read-model/schema.ts';

export const START_MS = Date.UTC(2026, 0, 1);
/** Milliseconds from a block to the next. */
export const BLOCK_MS = 100;
export const PER_BLOCK = 10;
/** Rows with the rare values. */
export const RARE = 100;
export const WHALE = 'key:whale';
export const RARE_ONE = 'key:rare';

/** In every statement `$1` is the number of rows, and `i` counts them from 1 on. */
const time = (height: string): string =>
  `timestamptz 'epoch' + (${START_MS} + (${height}) * ${BLOCK_MS}) * interval '1 millisecond'`;
const digest = (of: string): string => `sha256((${of})::text::bytea)`;
const from = 'FROM generate_series(1, $1::integer) AS i';
const rare = (value: string, otherwise: string): string =>
  `CASE WHEN i <= ${RARE} THEN '${value}' ELSE ${otherwise} END`;
const height = `((i - 1) / ${PER_BLOCK} + 1)`;
const index = `((i - 1) % ${PER_BLOCK})`;
/** A number below `n` that says nothing of the row's place. */
const spread = (n: number): string => `((i::bigint * 48271) % 2147483647 % ${n})`;

const BLOCKS = `INSERT INTO althing.block
  SELECT i, ${time('i')}, 0, 1, i - i % 16, ${digest('i')}, ${digest('-i')}, ${digest('i * 2::bigint')} ${from}`;
const TRANSACTIONS = `INSERT INTO althing.transaction
  SELECT ${height}, ${time(height)}, ${index}, ${index}, ${digest(height)},
    ${rare('raffle', `CASE WHEN i <= $1::integer / 2 THEN 'auction' ELSE (ARRAY['ledger', 'ledger', 'kv', 'voting'])[${spread(4)} + 1] END`)},
    ${rare('open', `(ARRAY['transfer', 'set', 'cast'])[${spread(3)} + 1]`)},
    ${rare(RARE_ONE, `CASE WHEN ${spread(3)} = 0 THEN '${WHALE}' ELSE 'key:' || ${spread(10_007)} END`)},
    CASE WHEN ${spread(101)} = 0 THEN 'failed' ELSE 'ok' END,
    CASE WHEN ${spread(101)} = 0 THEN 'exceeds_credits' END ${from}`;
const VOTES = `INSERT INTO althing.consensus_vote
  SELECT (i - 1) / 3 + 1, ${time('(i - 1) / 3 + 1')}, 0, 1,
    ${rare('validator-9', `'validator-' || (i - 1) % 3 + 1`)}, 'commit', ${digest('i')} ${from}
  ON CONFLICT DO NOTHING`;
const APPROVALS = `INSERT INTO althing.approval
  SELECT ${height}, ${time(height)}, ${index}, 0, 'round-' || i / 4,
    ${rare(RARE_ONE, `'key:' || ${spread(101)}`)}, 'approve', 1,
    ${rare('expired', `(ARRAY['approved', 'rejected'])[${spread(2)} + 1]`)} ${from}`;
const TRANSFERS = `INSERT INTO althing.bridge_transfer
  SELECT ${height}, ${time(height)}, ${time(height)}, 'out-' || lpad(i::text, 12, '0'),
    ${rare('in', `'out'`)}, NULL, 'coin', 'an address', i, ${time(height)}, 3,
    ${rare('open', `(ARRAY['released', 'refunded'])[${spread(2)} + 1]`)} ${from}`;

/** Makes the schema in an empty database, and the rows. */
export async function fillReadModel(
  url: string,
  rows: number,
  progress: (what: string) => void,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('CREATE SCHEMA althing');
    await prepareReadModel(client);
    await client.query('SET synchronous_commit = off');
    const tables = { BLOCKS, TRANSACTIONS, VOTES, APPROVALS, TRANSFERS };
    for (const [name, statement] of Object.entries(tables)) {
      progress(`making ${rows} ${name.toLowerCase()}`);
      await client.query(statement, [rows]);
    }
    await client.query('VACUUM ANALYZE');
    // Else the server writes all of it out while it is asked.
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
