/** What nodes wrote to their logs that a healthy node does not write. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Cluster } from './cluster.ts';

const ALARMING = ['error', 'fatal'];
const LINES_MAX = 5;
const TEXT_MAX = 400;

/** True for records of level error and fatal, and for whatever Node.js itself had to say. */
export function isAlarm(line: string): boolean {
  if (line.trim() === '') return false;
  try {
    const { level } = JSON.parse(line) as { readonly level?: unknown };
    return typeof level !== 'string' || ALARMING.includes(level);
  } catch {
    return true; // a stack trace, an unhandled rejection, a warning of the runtime
  }
}

/** Sentences: the first few alarming lines of each node's log, with their numbers. */
export async function alarms(cluster: Cluster): Promise<string[]> {
  const found: string[] = [];
  for (let node = 0; node < cluster.size; node++) {
    found.push(...(await alarmsIn(cluster.logFile(node))));
  }
  return found;
}

async function alarmsIn(path: string): Promise<string[]> {
  const found: string[] = [];
  let at = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    at++;
    if (isAlarm(line) && found.length < LINES_MAX) {
      found.push(`${path}:${at}: ${line.slice(0, TEXT_MAX)}`);
    }
  }
  return found;
}
