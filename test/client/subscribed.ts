/** Subscriptions for the tests of them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import type { SubscribeOptions, Subscription } from '../../src/client/subscription.ts';

export const isStream = (path: string): boolean => path.startsWith('/api/v11/stream');

/** A subscription that ends some time after it has come to a height, as a whole. */
export function subscribedUpTo(
  height: number,
  client: Client,
  options: SubscribeOptions = {},
): Subscription {
  const ends = new AbortController();
  const subscription = client.subscribe({ ...options, signal: ends.signal });
  const hasCome = (): boolean =>
    /^\d+$/.test(subscription.resume) && Number(subscription.resume) >= height;
  void (async () => {
    while (!hasCome()) await pause(5);
    await pause(500);
    ends.abort();
  })();
  return subscription;
}
