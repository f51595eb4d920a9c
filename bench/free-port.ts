/** Ports that nobody listens on, for now. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below what the system gives to outgoing connections, or one could sit on a dead server's port; and each
 * process in a part of its own, or another could take what is chosen here and not used yet.
 */
const PORTS_FROM = 12_000;
const PARTS = 20;
const PORTS_OF_A_PART = 400;

/** Chosen here before: a server of ours may come back to it. */
const given = new Set<number>();

export async function freePort(): Promise<number> {
  const from = PORTS_FROM + (process.pid % PARTS) * PORTS_OF_A_PART;
  for (;;) {
    if (given.size === PORTS_OF_A_PART) given.clear();
    const port = randomInt(from, from + PORTS_OF_A_PART);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (bound) await new Promise((resolve) => server.close(resolve));
  return bound;
}
