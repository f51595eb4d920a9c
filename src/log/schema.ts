/**
 * The log's tables, made or brought up to date at start under an advisory lock.
 *
 * `event` holds one row an event, `event_body` its body in slices of less than a page (so that no
 * row is ever moved out of line), `event_key` finds an event by the first eight bytes of a key.
 * `stream` gives streams short ids, `stream_base` says where those begin that do not begin at 0
 * (base.ts), `log_identity` binds the database to one node of one cluster.
 *
 * L6. Every table is append-only: update, delete and truncate are refused by triggers. Only events below
 *     the base of their stream may be deleted.
 * L7. (stream, seq) is a key: the second of two writers at one position fails.
 */
import type pg from 'pg';
import { LogError } from './errors.ts';

export const SCHEMA_VERSION = 2;

/** First argument of every advisory lock of ours ('alth'). */
export const LOCK_CLASS = 0x616c7468;
const MIGRATION_LOCK = 1;

export interface LogIdentity {
  /** 64 hex characters. */
  readonly clusterId: string;
  /** The node's public key, 64 hex characters. */
  readonly publicKey: string;
}

const APPEND_ONLY = ['log_identity', 'stream', 'stream_base'];
const SWEPT = ['event', 'event_body', 'event_key'];

const refusing = (table: string, events: string): string => `
  CREATE TRIGGER append_only BEFORE ${events} ON althing.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION althing.refuse_change();`;

const MAY_SWEEP = `
  CREATE FUNCTION althing.refuse_from_base() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT 1 FROM gone g WHERE g.seq >= coalesce(
          (SELECT max(b.base) FROM althing.stream_base b WHERE b.stream = g.stream), 0)) THEN
        RAISE EXCEPTION 'althing.% is append-only from the base of each stream on', TG_TABLE_NAME;
      END IF;
      RETURN NULL;
    END $$;
  ${SWEPT.map(
    (table) => `
      ${refusing(table, 'UPDATE OR TRUNCATE')}
      CREATE TRIGGER swept_below_base AFTER DELETE ON althing.${table}
        REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION althing.refuse_from_base();`,
  ).join('\n')}`;

const STREAM_BASE = `
  CREATE TABLE althing.stream_base (
    base bigint NOT NULL,
    stream smallint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (stream, base)
  );`;

/** In SQL, beside rows of events: the numbers of a row's keys, and what `event_key` has of key `i`. */
export const KEYS_OF_ROW = 'generate_series(0, length(keys) / 32 - 1) AS i';
export const KEY_PREFIX = `('x' || encode(substr(keys, i * 32 + 1, 8), 'hex'))::bit(64)::bigint`;

/** Vacuum would only read what never changes, unless something was swept. */
const VACUUM_SWEPT = SWEPT.map(
  (table) => `ALTER TABLE althing.${table} SET (autovacuum_enabled = true,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 2147483647);`,
).join('\n');

/** Column order within a table goes by alignment. */
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
  ) WITH (toast_tuple_target = 8160);
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
  );
  ALTER TABLE althing.event_body ALTER data SET STORAGE PLAIN;
  CREATE TABLE althing.event_key (
    prefix bigint NOT NULL,
    seq bigint NOT NULL,
    stream smallint NOT NULL
  );
  CREATE INDEX event_key_prefix ON althing.event_key (prefix);
  CREATE FUNCTION althing.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'althing.% is append-only', TG_TABLE_NAME; END $$;
  ${STREAM_BASE}
  ${APPEND_ONLY.map((table) => refusing(table, 'UPDATE OR DELETE OR TRUNCATE')).join('\n')}
  ${MAY_SWEEP}
  ${VACUUM_SWEPT}`;

/** From each version to the next. */
const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [
    1,
    `${STREAM_BASE}
     ${refusing('stream_base', 'UPDATE OR DELETE OR TRUNCATE')}
     ${SWEPT.map((table) => `DROP TRIGGER append_only ON althing.${table};`).join('\n')}
     ${MAY_SWEEP}
     ${VACUUM_SWEPT}`,
  ],
]);

/**
 * Makes the tables if they are missing, and binds the database to `identity` at its first use.
 * Errors: `wrong_identity`, `wrong_schema`.
 */
export async function prepareSchema(client: pg.Client, identity: LogIdentity): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, MIGRATION_LOCK]);
    if (await tableExists(client)) await migrate(client);
    else await create(client, identity);
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

async function migrate(client: pg.Client): Promise<void> {
  const sql = 'SELECT schema_version AS version FROM althing.log_identity';
  for (;;) {
    const version = (await client.query<{ version: number }>(sql)).rows[0]?.version;
    const migration = version === undefined ? undefined : MIGRATIONS.get(version);
    if (migration === undefined) return;
    await client.query(migration);
    await client.query(`
      ALTER TABLE althing.log_identity DISABLE TRIGGER append_only;
      UPDATE althing.log_identity SET schema_version = schema_version + 1;
      ALTER TABLE althing.log_identity ENABLE TRIGGER append_only`);
  }
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
  const what =
    row.schema_version < SCHEMA_VERSION
      ? 'start the node once, which brings it up to date'
      : 'use the version that made it';
  const message = `the database has log schema ${row.schema_version}, and this version of Althing knows ${SCHEMA_VERSION}: ${what}`;
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
