/** Ports that nobody listens on, for now. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below what the system gives to outgoing connections, or one could sit on a dead server's port. */
const PORTS_FROM = 12_000;
const PORTS_BEHIND = 32_000;
const NONE: ReadonlySet<number> = new Set();

/** Not among those that are taken for something else. */
export async function freePort(taken = NONE): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS_FROM, PORTS_BEHIND);
    if (!taken.has(port) && (await isFree(port))) return port;
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
