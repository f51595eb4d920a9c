/** Clusters of processes that run modules of users, and what is asked of them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { Cluster } from '../../bench/cluster.ts';
import { newFolder } from '../folder.ts';

/** `modules` run from the start. */
export async function clusterOf(t: ExecutionContext, modules: readonly string[]): Promise<Cluster> {
  const folder = newFolder('user-modules');
  const cluster = await Cluster.create({ folder, nodes: 4, dev: true, modules });
  t.teardown(() => cluster.close());
  await cluster.start();
  return cluster;
}

export interface Receipt {
  readonly id: string;
  readonly height: number;
  readonly status: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string };
}

/** What a node says that has too much to do; under way, asked for under the same key. */
const BUSY = new Set([409, 429, 503, 504]);

/** The receipt, or the problem with which the node refuses. */
export async function submit(
  url: string,
  module: string,
  command: string,
  args: object,
): Promise<Receipt> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  for (;;) {
    const response = await fetch(`${url}/api/v11/transactions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ module, command, args }),
    });
    const answer = (await response.json()) as Receipt & { readonly receipts?: readonly Receipt[] };
    if (!BUSY.has(response.status)) return answer.receipts?.[0] ?? answer;
    await pause(50);
  }
}

/** 0 while a node that has just started knows none. */
async function heightOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v11/blocks/latest`);
  return answer.ok ? ((await answer.json()) as { height: number }).height : 0;
}

/** Empty blocks come by themselves. */
export async function reach(urls: readonly string[], height: number): Promise<void> {
  for (const url of urls) while ((await heightOf(url)) < height) await pause(50);
}
