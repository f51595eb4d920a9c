/**
 * A namespace of the `kv` module as lines of JSON: a header, an entry a line in the order of their keys,
 * and a last line that counts them and has the SHA-256 of all bytes before it.
 */
import { decodeValue } from '../../protocols/transaction/value-reader.ts';
import { encodeValue, normalInteger, type Value } from '../../protocols/transaction/values.ts';

const FORMAT = 'althing-kv';
const FORMAT_VERSION = 1;

export interface Header {
  readonly clusterId: string;
  readonly namespace: string;
  /** Of the namespace, as the entries show it. */
  readonly revision: number;
  /** A height at which it had this revision. */
  readonly height: number;
}

export interface Entry {
  readonly key: string;
  readonly value: Value;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease?: string;
}

export interface End {
  readonly entries: number;
  readonly sha256: string;
}

/** The file is not what an export wrote; `message` says where and what to do. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

export function headerLine(header: Header): string {
  return JSON.stringify({ format: FORMAT, version: FORMAT_VERSION, ...header });
}

/** What JSON has no type for is written as base64 of its canonical form, in `packed`. */
export function entryLine({ key, value, ...marks }: Entry): string {
  const shown = isJson(value) ? { value } : { packed: packed(value) };
  return JSON.stringify({ key, ...shown, ...marks });
}

export function endLine(end: End): string {
  return JSON.stringify(end);
}

function packed(value: Value): string {
  return Buffer.from(encodeValue(value)).toString('base64');
}

function isJson(value: Value): boolean {
  if (value === null || typeof value !== 'object') return typeof value !== 'bigint';
  return !(value instanceof Uint8Array) && Object.values(value).every(isJson);
}

/** Throws SnapshotError for what no export begins with. */
export function readHeader(line: string): Header {
  const { format, version, clusterId, namespace, revision, height } = membersOf(line, 1);
  if (format !== FORMAT) throw new SnapshotError('the file is no export of a namespace');
  const isSound =
    version === FORMAT_VERSION &&
    typeof clusterId === 'string' &&
    typeof namespace === 'string' &&
    typeof revision === 'number' &&
    typeof height === 'number';
  if (!isSound) {
    throw new SnapshotError(`the export has version ${String(version)}, and 1 is known here`);
  }
  return { clusterId, namespace, revision, height };
}

/** The entry of a line, or the end. */
export function readLine(line: string, number: number): Entry | End {
  const members = membersOf(line, number);
  if (typeof members['sha256'] === 'string' && typeof members['entries'] === 'number') {
    return { entries: members['entries'], sha256: members['sha256'] };
  }
  const { packed: bytes, ...rest } = members;
  const value =
    typeof bytes === 'string'
      ? decodeValue(Buffer.from(bytes, 'base64'))
      : (members['value'] as Value | undefined);
  if (value === undefined || typeof members['key'] !== 'string') {
    throw new SnapshotError(`line ${number} is no entry`);
  }
  return { ...(rest as unknown as Entry), value };
}

function membersOf(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, with the line.
  }
  throw new SnapshotError(`line ${number} is no JSON object: export the namespace again`);
}

/** As msgpack gives values, in the form that canonical ones have. */
export function normal(value: unknown): Value {
  if (typeof value === 'bigint') return normalInteger(value);
  if (value === null || typeof value !== 'object') return value as Value;
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(normal);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, normal(each)]));
}
