/** A whole log as it stands at one moment, for those who only read it: the node may be writing. */
import { connect, unusable, type Link } from './connection.ts';
import { LogError } from './errors.ts';
import { readIdentity, requireIdentity, type LogIdentity } from './schema.ts';

/** One view of all tables and streams, however long the reading takes. */
const ONE_SNAPSHOT = 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY';

export interface Snapshot {
  readonly link: Link;
  readonly identity: LogIdentity;
}

/** Which log is read. */
export interface SnapshotOptions {
  readonly url: string;
  /** Whose log it must be; absent: that of any node. */
  readonly owner?: LogIdentity;
}

/**
 * Close its link. Errors: `unavailable`, `bad_url`, `wrong_identity` when there is no log or another
 * node's.
 */
export async function openSnapshot(
  { url, owner }: SnapshotOptions,
  applicationName: string,
): Promise<Snapshot> {
  const refused = (error: unknown): never => {
    throw error instanceof LogError ? error : unusable(url, error as Error);
  };
  const link = await connect(url, applicationName).catch(refused);
  try {
    await link.client.query(ONE_SNAPSHOT);
    const identity = await readIdentity(link.client).catch(refused);
    if (identity === null) {
      throw new LogError('wrong_identity', 'the database holds no log: check the URL');
    }
    if (owner !== undefined) requireIdentity(identity, owner);
    return { link, identity };
  } catch (error) {
    await link.close();
    throw error;
  }
}
