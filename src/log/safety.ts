/**
 * Refuses a server that may lose what it has acknowledged (rule P1), at every new connection: after
 * a failover the server behind the URL is another one.
 *
 * L15. Nothing is appended to a server with fsync off or a session whose commits do not wait.
 * L16. Where standbys exist, a commit waits for one (synchronous_standby_names): promoting an
 *     asynchronous standby would lose votes, and a node that lost a vote may cast a second one.
 */
import type pg from 'pg';
import { LogError } from './errors.ts';

interface Facts {
  readonly version: number;
  readonly fsync: string;
  readonly commit: string;
  readonly standby_names: string;
  readonly in_recovery: boolean;
  readonly standbys: number;
}

const VERSION_MIN = 140_000;
const FACTS = `
  SELECT current_setting('server_version_num')::int AS version,
         current_setting('fsync') AS fsync,
         current_setting('synchronous_commit') AS commit,
         current_setting('synchronous_standby_names') AS standby_names,
         pg_is_in_recovery() AS in_recovery,
         (SELECT count(*)::int FROM pg_stat_replication
           WHERE coalesce(state, '') <> 'backup') AS standbys`;

/** Errors: `unsafe_server`; `unavailable` while the server is a standby, such as during a failover. */
export async function assertDurable(client: pg.Client): Promise<void> {
  const { rows } = await client.query<Facts>(FACTS);
  const facts = rows[0];
  if (facts === undefined) throw new LogError('unavailable', 'the database gave no answer');
  if (facts.in_recovery) {
    throw new LogError('unavailable', 'the database server is a standby and takes no writes');
  }
  const fault = findFault(facts);
  if (fault !== null)
    throw new LogError('unsafe_server', `the database server is not safe: ${fault}`);
}

function findFault(facts: Facts): string | null {
  if (facts.version < VERSION_MIN) return 'PostgreSQL 14 or newer is needed';
  if (facts.fsync !== 'on') return 'fsync is off; set fsync = on and restart it';
  if (facts.commit !== 'on' && facts.commit !== 'remote_apply') {
    return `synchronous_commit is ${facts.commit} for this user and database; set it to on or remote_apply`;
  }
  if (facts.standbys > 0 && facts.standby_names.trim() === '') {
    return 'it has an asynchronous standby, and a failover to that would lose acknowledged votes; name it in synchronous_standby_names or detach it';
  }
  return null;
}
