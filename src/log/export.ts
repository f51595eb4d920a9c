/**
 * The log as lines of JSON, one event a line, verified on the way: for people and for other tools.
 */
import { LogError } from './errors.ts';
import { LogReader, READER_SETTINGS, type VerifiedEvent } from './reader.ts';
import { openSnapshot, type SnapshotOptions } from './snapshot.ts';

export interface ExportOptions extends SnapshotOptions {
  /** Only this stream; default all, one after the other. */
  readonly stream?: string;
  /** First position; default, and at least, where the stream begins. */
  readonly from?: number;
  /** Position after the last one; default the end. */
  readonly to?: number;
  /** Whether bodies are written, in base64; default true. */
  readonly bodies?: boolean;
}

const BYTES_PER_READ = 4 * 1024 * 1024;

/**
 * Lines without line ends: `{stream, seq, kind, header, body?, bodyDigest?, keys?, hash}`, header and
 * body in base64, digests in hex. Errors: `log_altered`, `wrong_identity` when there is no such log
 * or stream, or it is another node's, `bad_url`, `unavailable`.
 */
export async function* exportLog(options: ExportOptions): AsyncGenerator<string, void> {
  const { link, identity } = await openSnapshot(options, 'althing export');
  try {
    const sql = 'SELECT name FROM althing.stream WHERE name = $1 OR $1 IS NULL ORDER BY id';
    const { rows } = await link.client.query<{ name: string }>(sql, [options.stream ?? null]);
    if (rows.length === 0 && options.stream !== undefined) {
      throw new LogError('wrong_identity', `the log has no stream "${options.stream}"`);
    }
    await link.client.query(READER_SETTINGS);
    const reader = new LogReader(link.client, identity, new Map());
    for (const { name } of rows) yield* exportStream(reader, name, options);
  } finally {
    await link.close();
  }
}

async function* exportStream(
  reader: LogReader,
  stream: string,
  options: ExportOptions,
): AsyncGenerator<string, void> {
  const { to = Number.MAX_SAFE_INTEGER, bodies = true } = options;
  const begin = (await reader.base(stream))?.seq ?? 0;
  let next = Math.max(options.from ?? 0, begin);
  for (;;) {
    const found = await reader.read({ stream, from: next, to, bytesMax: BYTES_PER_READ, bodies });
    if (found.length === 0) return;
    for (const event of found) yield toLine(event);
    next += found.length;
  }
}

function toLine({ event, hash }: VerifiedEvent): string {
  const { stream, seq, kind, header, body, bodyDigest, keys } = event;
  return JSON.stringify({
    stream,
    seq,
    kind,
    header: Buffer.from(header).toString('base64'),
    ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64') }),
    ...(bodyDigest === undefined ? {} : { bodyDigest }),
    ...(keys === undefined ? {} : { keys }),
    hash: hash.toString('hex'),
  });
}
