/**
 * Puts bodies together from their slices and checks them against the digests that their events name.
 */
import type pg from 'pg';
import { LogAltered } from './errors.ts';
import { digestBody, FieldReader, type EventRow } from './event-row.ts';
import { copyOut } from './raw-query.ts';
import { COPY_HEADER_BYTES } from './wire.ts';

interface Assembly {
  readonly row: EventRow;
  readonly body: Uint8Array;
  filled: number;
  parts: number;
}

/** Bodies of those of `rows` (one stream, ascending) that have one, by seq. Errors: `log_altered`. */
export async function readBodies(
  client: pg.Client,
  stream: string,
  rows: readonly EventRow[],
): Promise<Map<number, Uint8Array>> {
  const assemblies = new Map<number, Assembly>();
  for (const row of rows) {
    if (row.bodyBytes === null) continue;
    assemblies.set(row.seq, { row, body: new Uint8Array(row.bodyBytes), filled: 0, parts: 0 });
  }
  const first = rows[0];
  const last = rows[rows.length - 1];
  if (first === undefined || last === undefined) return new Map();
  const where = `stream = ${first.streamId} AND seq >= ${first.seq} AND seq <= ${last.seq}`;
  if (assemblies.size > 0)
    await eachSlice(client, where, (slice) => place(stream, assemblies, slice));
  for (const assembly of assemblies.values()) check(stream, assembly);
  return new Map([...assemblies].map(([seq, { body }]) => [seq, body]));
}

interface Slice {
  readonly seq: number;
  readonly part: number;
  /** Valid during the call only. */
  readonly data: Buffer;
}

async function eachSlice(
  client: pg.Client,
  where: string,
  onSlice: (slice: Slice) => void,
): Promise<void> {
  const select = `SELECT seq, part, data FROM althing.event_body WHERE ${where} ORDER BY stream, seq, part`;
  let offset = COPY_HEADER_BYTES;
  await copyOut(client, select, (bytes) => {
    const start = offset;
    offset = 0;
    if (bytes.readInt16BE(start) === -1) return;
    const reader = new FieldReader(bytes, start + 2);
    const seq = reader.u53();
    const part = reader.i32OrNull() ?? 0;
    onSlice({ seq, part, data: reader.bytes() ?? Buffer.alloc(0) });
  });
}

function place(
  stream: string,
  assemblies: Map<number, Assembly>,
  { seq, part, data }: Slice,
): void {
  const assembly = assemblies.get(seq);
  if (assembly === undefined || assembly.filled === assembly.body.length) {
    throw new LogAltered({ stream, seq, part }, 'added', 'its event has no such part');
  }
  const expected = assembly.parts + 1;
  if (part !== expected) {
    const alteration = part > expected ? 'missing' : 'added';
    const at = { stream, seq, part: Math.min(part, expected) };
    throw new LogAltered(at, alteration, `part ${part} stands where part ${expected} should`);
  }
  if (assembly.filled + data.length > assembly.body.length) {
    throw new LogAltered({ stream, seq, part }, 'changed', 'it is longer than its event says');
  }
  assembly.body.set(data, assembly.filled);
  assembly.filled += data.length;
  assembly.parts = part;
}

/** One digest covers the whole body, so a slice of the right length with wrong bytes is not told apart. */
function check(stream: string, { row, body, filled, parts }: Assembly): void {
  const { seq } = row;
  if (filled < body.length) {
    const detail = `${filled} of ${body.length} bytes of the body are there`;
    throw new LogAltered({ stream, seq, part: parts + 1 }, 'missing', detail);
  }
  if (row.bodyDigest !== null && digestBody(body).equals(row.bodyDigest)) return;
  const detail = `the body in parts 1 to ${parts} does not have the digest that its event names`;
  throw new LogAltered({ stream, seq, part: Math.min(1, parts) }, 'changed', detail);
}
