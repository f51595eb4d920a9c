/** Where the nodes of a bench cluster listen: ports that are free, and stay the node's at every start. */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

export interface Seat {
  readonly id: string;
  /** The same at every start, so that peers and clients find the node again. */
  readonly ports: { readonly http: number; readonly grpc: number; readonly peer: number };
  process: ChildProcess | null;
  /** Somebody ends its process. */
  ending: boolean;
}

/** Below what the system gives to outgoing connections, or one could sit on a dead node's port. */
const PORTS_FROM = 12_000;
const PORTS_BEHIND = 32_000;
const PORTS_OF_A_NODE = 3;

async function freePort(taken: ReadonlySet<number>): Promise<number> {
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

export async function newSeats(ids: readonly string[]): Promise<Seat[]> {
  const taken = new Set<number>();
  while (taken.size < ids.length * PORTS_OF_A_NODE) taken.add(await freePort(taken));
  const ports = [...taken];
  return ids.map((id, at) => {
    const [http, grpc, peer] = ports.slice(at * PORTS_OF_A_NODE) as [number, number, number];
    return { id, ports: { http, grpc, peer }, process: null, ending: false };
  });
}
