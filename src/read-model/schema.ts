/**
 * The read model: what became final, in tables that people query with SQL and the node serves over HTTP.
 * Everything in them follows from the log, so they are made anew whenever their form changes.
 *
 * D1. How far the tables reach is written in the transaction that fills them: after any crash they
 *     hold exactly what stands before that position, each row once.
 */
import type pg from 'pg';
import { LOCK_CLASS } from '../log/schema.ts';

/** Raised whenever a table or what stands in it changes: an older read model is then made anew. */
export const READ_MODEL_VERSION = 3;

const MIGRATION_LOCK = 2;

/** Positions in the streams `chain` and `transaction` of the log up to which everything is in the tables. */
export interface Reached {
  readonly chain: number;
  readonly receipts: number;
  /** Transactions of the event at `receipts` that are in the tables already. */
  readonly offset: number;
  /** Of the newest block in the tables; 0 for none. */
  readonly height: number;
  /** Up to this height the transactions are in the tables, too, with all that follows from them. */
  readonly settled: number;
  /** Names the tables since they were made; empty for none. */
  readonly generation: string;
}

export const NOTHING_REACHED: Reached = {
  chain: 0,
  receipts: 0,
  offset: 0,
  height: 0,
  settled: 0,
  generation: '',
};

const TABLES = [
  'block',
  'transaction',
  'consensus_vote',
  'approval',
  'bridge_transfer',
  'read_model',
] as const;

const CREATE = `
  CREATE TABLE althing.read_model (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL,
    chain bigint NOT NULL,
    receipts bigint NOT NULL,
    receipts_offset integer NOT NULL,
    height bigint NOT NULL,
    settled bigint NOT NULL,
    generation uuid NOT NULL DEFAULT gen_random_uuid()
  );
  CREATE TABLE althing.block (
    height bigint PRIMARY KEY,
    created_at timestamptz NOT NULL,
    epoch bigint NOT NULL,
    term bigint NOT NULL,
    executed_height bigint NOT NULL,
    digest bytea NOT NULL,
    state_root bytea NOT NULL,
    receipts_root bytea NOT NULL
  );
  CREATE INDEX block_created_at ON althing.block (created_at);
  CREATE TABLE althing.transaction (
    height bigint NOT NULL,
    created_at timestamptz NOT NULL,
    index integer NOT NULL,
    position integer NOT NULL,
    submission bytea NOT NULL,
    module text NOT NULL,
    command text NOT NULL,
    sender text NOT NULL,
    status text NOT NULL,
    error text,
    PRIMARY KEY (height, index)
  );
  CREATE INDEX transaction_id ON althing.transaction (submission, position);
  CREATE INDEX transaction_status ON althing.transaction (status, height, index);
  CREATE INDEX transaction_sender ON althing.transaction (sender, height, index);
  CREATE INDEX transaction_module ON althing.transaction (module, height, index);
  CREATE INDEX transaction_command ON althing.transaction (module, command, height, index);
  CREATE INDEX transaction_created_at ON althing.transaction USING brin (created_at);
  CREATE TABLE althing.consensus_vote (
    height bigint NOT NULL,
    created_at timestamptz NOT NULL,
    epoch bigint NOT NULL,
    term bigint NOT NULL,
    validator text NOT NULL,
    kind text NOT NULL,
    block bytea NOT NULL,
    PRIMARY KEY (height, validator)
  );
  CREATE INDEX consensus_vote_validator ON althing.consensus_vote (validator, height);
  CREATE INDEX consensus_vote_created_at ON althing.consensus_vote USING brin (created_at);
  CREATE TABLE althing.approval (
    height bigint NOT NULL,
    created_at timestamptz NOT NULL,
    index integer NOT NULL,
    ordinal integer NOT NULL,
    round text NOT NULL,
    voter text NOT NULL,
    choice text NOT NULL,
    weight bigint NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (height, index, ordinal)
  );
  CREATE INDEX approval_round ON althing.approval (round, height, index, ordinal);
  CREATE INDEX approval_voter ON althing.approval (voter, height, index, ordinal);
  CREATE INDEX approval_status ON althing.approval (status, height, index, ordinal);
  CREATE INDEX approval_created_at ON althing.approval USING brin (created_at);
  CREATE TABLE althing.bridge_transfer (
    height bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    id text PRIMARY KEY,
    direction text NOT NULL,
    outside_id text,
    asset text NOT NULL,
    "to" text NOT NULL,
    amount numeric NOT NULL,
    deadline timestamptz NOT NULL,
    attestations integer NOT NULL,
    status text NOT NULL
  );
  CREATE INDEX bridge_transfer_height ON althing.bridge_transfer (height, id);
  CREATE INDEX bridge_transfer_direction ON althing.bridge_transfer (direction, height, id);
  CREATE INDEX bridge_transfer_status ON althing.bridge_transfer (status, height, id);
  CREATE INDEX bridge_transfer_created_at ON althing.bridge_transfer USING brin (created_at);
  INSERT INTO althing.read_model VALUES (true, ${READ_MODEL_VERSION}, 0, 0, 0, 0, 0);`;

const DROP = TABLES.map((table) => `DROP TABLE IF EXISTS althing.${table}`).join('; ');

/** Makes the tables if they are missing or of another version. */
export async function prepareReadModel(client: pg.Client): Promise<void> {
  await locked(client, async () => {
    if ((await versionOf(client)) !== READ_MODEL_VERSION) await client.query(`${DROP}; ${CREATE}`);
  });
}

/** Empties the tables: whoever projects begins again at the start of the log. */
export async function resetReadModel(client: pg.Client): Promise<void> {
  await locked(client, () => client.query(`${DROP}; ${CREATE}`));
}

async function locked(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, MIGRATION_LOCK]);
    await work();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function versionOf(client: pg.Client): Promise<number | null> {
  const sql = `SELECT to_regclass('althing.read_model') IS NOT NULL AS found`;
  const { rows } = await client.query<{ found: boolean }>(sql);
  if (rows[0]?.found !== true) return null;
  const found = await client.query<{ version: number }>('SELECT version FROM althing.read_model');
  return found.rows[0]?.version ?? null;
}

/** How far the tables reach; the row stays locked until the transaction ends. */
export async function lockReached(client: pg.Client): Promise<Reached> {
  return reachedBy(await client.query<ReachedRow>(`${SELECT_REACHED} FOR UPDATE`));
}

export async function readReached(client: pg.ClientBase | pg.Pool): Promise<Reached> {
  return reachedBy(await client.query<ReachedRow>(SELECT_REACHED));
}

const SELECT_REACHED =
  'SELECT chain, receipts, receipts_offset, height, settled, generation FROM althing.read_model';

interface ReachedRow {
  readonly chain: string;
  readonly receipts: string;
  readonly receipts_offset: number;
  readonly height: string;
  readonly settled: string;
  readonly generation: string;
}

function reachedBy({ rows }: { readonly rows: readonly ReachedRow[] }): Reached {
  const [row] = rows;
  if (row === undefined) return NOTHING_REACHED;
  return {
    chain: Number(row.chain),
    receipts: Number(row.receipts),
    offset: row.receipts_offset,
    height: Number(row.height),
    settled: Number(row.settled),
    generation: row.generation,
  };
}
