/** Finds taken ports before anything is started, so that the message can name the way out. */
import { createServer } from 'node:net';
import { LaunchFailure } from './failure.ts';
import { HOST, type ClusterPlan } from './plan.ts';

/** Ports that a message lists. */
const NAMED_MAX = 3;

interface NamedPort {
  readonly port: number;
  readonly use: string;
}

/** All but PostgreSQL's. */
export function portsOf({ nodes }: ClusterPlan): readonly NamedPort[] {
  return nodes.flatMap(({ id, httpPort, grpcPort, peerPort }) => [
    { port: httpPort, use: `HTTP of ${id}` },
    { port: grpcPort, use: `gRPC of ${id}` },
    { port: peerPort, use: `peers of ${id}` },
  ]);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Throws LaunchFailure when a port of a node is taken. PostgreSQL's port is its own matter: a server
 * that still runs for our data is adopted.
 */
export async function requireFreePorts(plan: ClusterPlan): Promise<void> {
  const ports = portsOf(plan);
  const free = await Promise.all(ports.map(({ port }) => isFree(port)));
  const taken = ports.filter((_, index) => !free[index]);
  if (taken.length === 0) return;
  const named = taken.slice(0, NAMED_MAX).map(({ port, use }) => `${port} (${use})`);
  const more = taken.length - named.length;
  const list = more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
  throw new LaunchFailure(
    `${taken.length === 1 ? 'Port' : 'Ports'} ${list} on ${HOST} taken by another program, perhaps another ` +
      'cluster of npm start: end it, or choose other ports, such as npm start -- --port-base 19003',
  );
}
