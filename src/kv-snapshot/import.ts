/**
 * Writes the entries of an exported namespace (lines.ts) into one.
 *
 * R12. Each entry is written once, however often the import is started again: how far it got stands under a
 *     key of the namespace, which every transaction compares and moves on, together with its entries.
 * R13. Nothing is written of a file that is not whole: it is read to its end and its checksum first.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Client } from '../client/client.ts';
import { AlthingError, TransactionFailed } from '../client/errors.ts';
import { encodeValue, type Value } from '../../protocols/transaction/values.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import { readHeader, readLine, SnapshotError, type Entry, type Header } from './lines.ts';

/** Operations of one transaction, of which one moves the mark. */
const SETS_MAX = 127;
/** Of entries in one transaction, and in one submission: what a cluster takes, with room to spare. */
const TRANSACTION_BYTES = 40 * 1024;
const SUBMISSION_BYTES = 512 * 1024;

export interface Imported {
  readonly namespace: string;
  /** Written by this run. */
  readonly written: number;
  /** Written by earlier runs. */
  readonly before: number;
  /** Left out, as their leases are not there: they were to go with them. */
  readonly leased: number;
}

export interface ImportOptions {
  /** Another than the one that was exported. */
  readonly namespace?: string;
  readonly progress?: (entries: number, of: number) => void;
}

interface Checked {
  readonly header: Header;
  readonly entries: number;
  readonly sha256: string;
}

/** Throws SnapshotError for a file that is not whole, AlthingError for what the cluster refuses. */
export async function importNamespace(
  client: Client,
  file: string,
  options: ImportOptions = {},
): Promise<Imported> {
  const { header, entries, sha256 } = await checkFile(file);
  const namespace = options.namespace ?? header.namespace;
  const mark = { namespace, key: `.import/${sha256.slice(0, 32)}` };
  const before = await markOf(client, mark);
  let leased = 0;
  let done = before;
  let number = 0;
  let sets: Entry[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (sets.length > 0) await send(client, mark, done, sets);
    done += sets.length;
    options.progress?.(done + leased, entries);
    sets = [];
    bytes = 0;
  };
  for await (const entry of entriesOf(file)) {
    if (entry.lease !== undefined) {
      leased++;
      continue;
    }
    if (number++ < before) continue;
    sets.push(entry);
    bytes += sizeOf(entry);
    if (bytes >= SUBMISSION_BYTES) await flush();
  }
  await flush();
  await submit(client, [call('delete', mark)], ['key_not_found']);
  return { namespace, written: done - before, before, leased };
}

const call = (command: string, args: Readonly<Record<string, Value>>): Call => ({
  module: 'kv',
  command,
  args,
});
const sizeOf = ({ key, value }: Entry): number => 2 * key.length + encodeValue(value).length + 32;

/** How many entries earlier runs have written. */
async function markOf(client: Client, mark: { namespace: string; key: string }): Promise<number> {
  try {
    const { result } = await client.query<{ value: number }>('kv', 'get', mark);
    return result.value;
  } catch (error) {
    if (error instanceof AlthingError && error.code === 'key_not_found') return 0;
    throw error;
  }
}

/** Sends the entries as transactions of one submission, which execute in their order. */
async function send(
  client: Client,
  mark: { readonly namespace: string; readonly key: string },
  start: number,
  entries: readonly Entry[],
): Promise<void> {
  const { namespace, key } = mark;
  const calls: Call[] = [];
  let done = start;
  for (const group of grouped(entries)) {
    const compare =
      done === 0
        ? { key, target: 'version', is: 'equal', value: 0 }
        : { key, target: 'value', is: 'equal', value: done };
    done += group.length;
    const sets = group.map((each) => ({ set: { key: each.key, value: each.value } }));
    const success = [...sets, { set: { key, value: done } }];
    calls.push(call('txn', { namespace, compare: [compare], success }));
  }
  const results = await submit(client, calls);
  if (results.every((result) => (result as { succeeded?: boolean }).succeeded)) return;
  throw new SnapshotError(
    `another import of the same file writes ${namespace}: let it end, then start this one again`,
  );
}

function grouped(entries: readonly Entry[]): Entry[][] {
  const groups: Entry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const size = sizeOf(entry);
    const last = groups.at(-1);
    if (last === undefined || last.length >= SETS_MAX || bytes + size > TRANSACTION_BYTES) {
      groups.push([entry]);
      bytes = size;
    } else {
      last.push(entry);
      bytes += size;
    }
  }
  return groups;
}

/** The results. Throws TransactionFailed for a refusal that is not among those that are `fine`. */
async function submit(
  client: Client,
  calls: readonly Call[],
  fine: readonly string[] = [],
): Promise<Value[]> {
  const { receipts } = await client.submit(calls);
  return receipts.map(({ result, error, id, height }) => {
    if (error === undefined || fine.includes(error.code)) return result ?? null;
    throw new TransactionFailed(error.code, error.message, id, height);
  });
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Infinity });
}

async function* entriesOf(file: string): AsyncGenerator<Entry> {
  let number = 0;
  for await (const line of linesOf(file)) {
    if (++number === 1) continue;
    const each = readLine(line, number);
    if ('key' in each) yield each;
  }
}

/** Reads the file to its end and compares what it says of itself (R13). */
async function checkFile(file: string): Promise<Checked> {
  const hash = createHash('sha256');
  let header: Header | null = null;
  let entries = 0;
  let number = 0;
  for await (const line of linesOf(file)) {
    if (++number === 1) header = readHeader(line);
    else {
      const each = readLine(line, number);
      if ('sha256' in each) {
        const sha256 = hash.digest('hex');
        if (header !== null && each.sha256 === sha256 && each.entries === entries) {
          return { header, entries, sha256 };
        }
        throw new SnapshotError('the file was altered after it was exported: its checksum differs');
      }
      entries++;
    }
    hash.update(`${line}\n`);
  }
  throw new SnapshotError('the file ends too early: export the namespace again');
}
