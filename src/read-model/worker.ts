/**
 * The projection's side of a thread of its own: it decodes and inserts, so that nothing of it runs where
 * the node answers or agrees. Its sessions stay open from one step to the next.
 */
import type { Digest } from '../../protocols/types.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { connect, withTimeout, type Link } from '../log/connection.ts';
import { LogReader, READER_SETTINGS } from '../log/reader.ts';
import type { LogIdentity } from '../log/schema.ts';
import { project, type Step } from './projection.ts';
import { prepareReadModel } from './schema.ts';

/** Plain data. The URL holds a password: never log it. */
export interface ProjectionTask extends LogIdentity {
  readonly url: string;
  readonly validators: readonly string[];
}

interface Sessions {
  readonly read: Link;
  readonly write: Link;
  readonly reader: LogReader;
}

/** A step takes far less; a database that hangs is left. */
const STEP_MS_MAX = 60_000;

let sessions: Sessions | null = null;

async function open({ url, clusterId, publicKey }: ProjectionTask): Promise<Sessions> {
  const read = await connect(url, 'althing projection, reading');
  try {
    await read.client.query(READER_SETTINGS);
    const write = await connect(url, 'althing projection');
    // What is lost in a crash of the server is projected again.
    await write.client.query('SET synchronous_commit = off');
    await prepareReadModel(write.client);
    return { read, write, reader: new LogReader(read.client, { clusterId, publicKey }, new Map()) };
  } catch (error) {
    read.destroy();
    throw error;
  }
}

async function close(): Promise<void> {
  const open = sessions;
  sessions = null;
  await Promise.all([open?.read.close(), open?.write.close()]);
}

/** One step along the log; null ends the sessions. Errors: those of the log and of the database. */
export default async function step(task: ProjectionTask | null): Promise<Step | null> {
  if (task === null) {
    await close();
    return null;
  }
  if (sessions !== null && (sessions.read.broken() ?? sessions.write.broken()) !== null) {
    await close();
  }
  sessions ??= await open(task);
  const { reader, write } = sessions;
  const { clusterId, validators } = task;
  const source = {
    clusterId: clusterId as Digest,
    validators,
    crypto: nodeCrypto,
    reader,
    client: write.client,
  };
  try {
    return await withTimeout(write, STEP_MS_MAX, project(source));
  } catch (error) {
    await close();
    throw error;
  }
}
