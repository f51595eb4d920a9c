/**
 * The log's tables, made or brought up to date at start under an advisory lock.
 *
 * `event` holds one row an event, `event_body` its body in slices of less than a page (so that no
 * row is ever moved out of line), `event_key` finds an event by the first eight bytes of a key.
 * `stream` gives streams short ids, `log_identity` binds the database to one node of one cluster.
 *
 * L6. Every table is append-only: update, delete and truncate are refused by triggers.
 * L7. (stream, seq) is a key: the second of two writers at one position fails.
 */
import type pg from 'pg';
import { LogError } from './errors.ts';

export const SCHEMA_VERSION = 1;

/** First argument of every advisory lock of ours ('alth'). */
export const LOCK_CLASS = 0x616c7468;
const MIGRATION_LOCK = 1;

export interface LogIdentity {
  /** 64 hex characters. */
  readonly clusterId: string;
  /** The node's public key, 64 hex characters. */
  readonly publicKey: string;
}

const TABLES = ['log_identity', 'stream', 'event', 'event_body', 'event_key'] as const;

/** Column order within a table goes by alignment; vacuum would only read what never changes. */
const CREATE = `
  CREATE SCHEMA IF NOT EXISTS althing;
  CREATE TABLE althing.log_identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    schema_version integer NOT NULL,
    cluster_id text NOT NULL,
    public_key text NOT NULL
  );
  CREATE TABLE althing.stream (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
  );
  CREATE TABLE althing.event (
    seq bigint NOT NULL,
    body_bytes integer,
    stream smallint NOT NULL,
    kind text NOT NULL,
    header bytea NOT NULL,
    keys bytea,
    body_digest bytea,
    hash bytea NOT NULL,
    PRIMARY KEY (stream, seq)
  ) WITH (autovacuum_enabled = false, toast_tuple_target = 8160);
  ALTER TABLE althing.event
    ALTER kind SET STORAGE PLAIN, ALTER header SET STORAGE EXTERNAL,
    ALTER keys SET STORAGE EXTERNAL, ALTER body_digest SET STORAGE PLAIN,
    ALTER hash SET STORAGE PLAIN;
  CREATE TABLE althing.event_body (
    seq bigint NOT NULL,
    part integer NOT NULL,
    stream smallint NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (stream, seq, part)
  ) WITH (autovacuum_enabled = false);
  ALTER TABLE althing.event_body ALTER data SET STORAGE PLAIN;
  CREATE TABLE althing.event_key (
    prefix bigint NOT NULL,
    seq bigint NOT NULL,
    stream smallint NOT NULL
  ) WITH (autovacuum_enabled = false);
  CREATE INDEX event_key_prefix ON althing.event_key (prefix);
  CREATE FUNCTION althing.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'althing.% is append-only', TG_TABLE_NAME; END $$;
  ${TABLES.map(
    (table) => `CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE
      ON althing.${table} FOR EACH STATEMENT EXECUTE FUNCTION althing.refuse_change();`,
  ).join('\n')}`;

/**
 * Makes the tables if they are missing, and binds the database to `identity` at its first use.
 * Errors: `wrong_identity`, `wrong_schema`.
 */
export async function prepareSchema(client: pg.Client, identity: LogIdentity): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, MIGRATION_LOCK]);
    if (!(await tableExists(client))) await create(client, identity);
    requireIdentity(await readIdentityOf(client), identity);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function tableExists(client: pg.Client): Promise<boolean> {
  const sql = `SELECT to_regclass('althing.log_identity') IS NOT NULL AS found`;
  const { rows } = await client.query<{ found: boolean }>(sql);
  return rows[0]?.found === true;
}

async function create(client: pg.Client, { clusterId, publicKey }: LogIdentity): Promise<void> {
  await client.query(CREATE);
  await client.query(
    'INSERT INTO althing.log_identity (schema_version, cluster_id, public_key) VALUES ($1, $2, $3)',
    [SCHEMA_VERSION, clusterId, publicKey],
  );
}

interface IdentityRow {
  readonly schema_version: number;
  readonly cluster_id: string;
  readonly public_key: string;
}

async function readIdentityOf(client: pg.Client): Promise<LogIdentity> {
  const { rows } = await client.query<IdentityRow>('SELECT * FROM althing.log_identity');
  const row = rows[0];
  if (row === undefined) {
    const message = 'the row of althing.log_identity is missing: the database was tampered with';
    throw new LogError('log_altered', message);
  }
  if (row.schema_version === SCHEMA_VERSION) {
    return { clusterId: row.cluster_id, publicKey: row.public_key };
  }
  const message = `the database has log schema ${row.schema_version}, and this version of Althing knows ${SCHEMA_VERSION}: use the version that made it`;
  throw new LogError('wrong_schema', message);
}

/** Errors: `wrong_identity` when the log is not that of the node. */
export function requireIdentity(log: LogIdentity, node: LogIdentity): void {
  if (log.clusterId !== node.clusterId) {
    const message = `the database belongs to cluster ${log.clusterId}, and this node to cluster ${node.clusterId}: give it a database of its own`;
    throw new LogError('wrong_identity', message);
  }
  if (log.publicKey !== node.publicKey) {
    const message = `the database belongs to the node with key ${log.publicKey}, and this node has key ${node.publicKey}: give it a database of its own`;
    throw new LogError('wrong_identity', message);
  }
}

/** Whose log it is; null when the database holds none. Errors: `wrong_schema`, `log_altered`. */
export async function readIdentity(client: pg.Client): Promise<LogIdentity | null> {
  return (await tableExists(client)) ? readIdentityOf(client) : null;
}
