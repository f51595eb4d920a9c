/** A node with a namespace in it, a client that signs, and what they hold. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExecutionContext } from 'ava';
import { Client } from '../../src/client/client.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import { exportNamespace } from '../../src/kv-snapshot/export.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { newFolder } from '../folder.ts';
import { start } from '../http/start.ts';

export const folder = newFolder('kv-snapshot');
export const { pem } = generateKey();

export async function startNode(t: ExecutionContext, given: typeof fetch = fetch) {
  const started = await start(t, 'fallback');
  const client = await connect(started.url, given);
  return { ...started, client };
}

export function connect(url: string, given: typeof fetch = fetch): Promise<Client> {
  const signer = signerFromPem(pem);
  return Client.connect({
    urls: [url],
    crypto: nodeCrypto,
    signer,
    fetch: given,
  });
}

export async function fill(
  client: Client,
  namespace: string,
  entries: readonly (readonly [string, Value])[],
): Promise<void> {
  const calls = entries.map(([key, value]) => ({
    module: 'kv',
    command: 'set',
    args: { namespace, key, value },
  }));
  const { receipts } = await client.submit(calls);
  for (const { error } of receipts) if (error !== undefined) throw new Error(error.message);
}

let files = 0;

export async function exported(client: Client, namespace: string): Promise<string> {
  const file = join(folder, `export-${files++}.jsonl`);
  await pipeline(Readable.from(exportNamespace(client, namespace)), createWriteStream(file));
  return file;
}

interface Page {
  readonly entries: readonly {
    readonly key: string;
    readonly value: Value;
    readonly version: number;
  }[];
  readonly next: string | null;
}

/** Keys with their values and versions. */
export async function contents(client: Client, namespace: string) {
  const all: (readonly [string, Value, number])[] = [];
  let after: string | null | undefined;
  while (after !== null) {
    const asked = { namespace, limit: 1000, after };
    const { entries, next } = (await client.query<Page>('kv', 'list', asked)).result;
    all.push(...entries.map(({ key, value, version }) => [key, value, version] as const));
    after = next;
  }
  return all;
}
