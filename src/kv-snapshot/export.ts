/** Writes what a namespace holds as lines (lines.ts), page by page. */
import { createHash } from 'node:crypto';
import type { Client } from '../client/client.ts';
import { endLine, entryLine, headerLine, normal, SnapshotError, type Entry } from './lines.ts';

interface KeyPage {
  readonly entries: readonly Entry[];
  readonly next: string | null;
  readonly revision: number;
}

const PAGE_ROWS = 1000;

/**
 * The lines, each with its line end. Throws SnapshotError when the namespace is changed meanwhile, which
 * its revision tells: the pages would not be those of one moment.
 */
export async function* exportNamespace(client: Client, namespace: string): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (line: string): string => {
    hash.update(`${line}\n`);
    return `${line}\n`;
  };
  const first = await client.query<KeyPage>('kv', 'list', { namespace, limit: PAGE_ROWS });
  const { revision } = first.result;
  const { clusterId } = client.cluster;
  yield hashed(headerLine({ clusterId, namespace, revision, height: first.height }));
  let count = 0;
  for (let page = first.result; ;) {
    if (page.revision !== revision) {
      throw new SnapshotError(
        `namespace ${namespace} was changed while it was exported: export it again when nobody writes it`,
      );
    }
    for (const entry of page.entries) {
      yield hashed(entryLine({ ...entry, value: normal(entry.value) }));
      count++;
    }
    if (page.next === null) break;
    const asked = { namespace, limit: PAGE_ROWS, after: page.next };
    page = (await client.query<KeyPage>('kv', 'list', asked)).result;
  }
  yield `${endLine({ entries: count, sha256: hash.digest('hex') })}\n`;
}
