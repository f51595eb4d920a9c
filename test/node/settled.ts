/** Answers of nodes that have executed something and have not written all of it yet. */
import { setTimeout as pause } from 'node:timers/promises';
import { getJson } from '../../bench/cluster.ts';

/** The document, as soon as its node can tell it: a database may be slow to take receipts, or to answer. */
export async function settledJson<T>(url: string): Promise<T> {
  for (;;) {
    const { status } = await fetch(url);
    if (status !== 503) return getJson<T>(url);
    await pause(50);
  }
}
