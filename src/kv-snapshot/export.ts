/**
 * Writes what a namespace holds as lines (lines.ts), page by page.
 *
 * R15. An export is what the namespace held at one height, whatever is written meanwhile.
 */
import { createHash } from 'node:crypto';
import type { Client } from '../client/client.ts';
import { AlthingError } from '../client/errors.ts';
import { endLine, entryLine, headerLine, normal, SnapshotError, type Entry } from './lines.ts';

interface KeyPage {
  readonly entries: readonly Entry[];
  readonly next: string | null;
}

const PAGE_ROWS = 1000;

/**
 * The lines, each with its line end. Throws SnapshotError when the cluster forgets the height before all
 * of it is read.
 */
export async function* exportNamespace(client: Client, namespace: string): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (line: string): string => {
    hash.update(`${line}\n`);
    return `${line}\n`;
  };
  const found = await client.query<{ revision: number }>('kv', 'namespace', { namespace });
  const { height } = found;
  const { revision } = found.result;
  const { clusterId } = client.cluster;
  yield hashed(headerLine({ clusterId, namespace, revision, height }));
  let count = 0;
  for await (const { value, ...entry } of entriesAt(client, namespace, height)) {
    yield hashed(entryLine({ ...entry, value: normal(value) }));
    count++;
  }
  yield `${endLine({ entries: count, sha256: hash.digest('hex') })}\n`;
}

async function* entriesAt(
  client: Client,
  namespace: string,
  atHeight: number,
): AsyncGenerator<Entry> {
  let after: string | undefined;
  for (;;) {
    const asked = { namespace, limit: PAGE_ROWS, after };
    const page = client.query<KeyPage>('kv', 'list', asked, { atHeight });
    const { entries, next } = (await page.catch(pruned)).result;
    yield* entries;
    if (next === null) return;
    after = next;
  }
}

function pruned(error: unknown): never {
  if (!(error instanceof AlthingError) || error.code !== 'height_pruned') throw error;
  throw new SnapshotError(
    'so much was written meanwhile that the nodes forgot the height of the export: export again when less is written',
  );
}
