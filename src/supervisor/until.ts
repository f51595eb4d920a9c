/** Waiting for what nobody announces. */
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(POLL_MS);
}
