/**
 * The client's gRPC port: health, reflection, and the services of ours, over plaintext HTTP/2 on the
 * address it is told to bind. Peers have a port of their own.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Edge } from '../edge/edge.ts';
import type { EdgeLogger } from '../edge/logger.ts';
import { Calls } from './calls.ts';
import { consensusService } from './consensus-service.ts';
import { HealthService } from './health-service.ts';
import { loadProtos } from './protos.ts';
import { transactionsService } from './transactions-service.ts';

export interface GrpcOptions {
  readonly edge: Edge;
  readonly host: string;
  /** 0 takes any free port. */
  readonly grpcPort: number;
  readonly logger: EdgeLogger;
}

export interface GrpcServer {
  readonly port: number;
  /** NOT_SERVING from now on, for balancers to see before the port closes. */
  drain(): void;
  /** Takes no new calls, waits up to `boundMs` for those under way, then closes connections. */
  close(boundMs?: number): Promise<void>;
}

const SERVICES = ['althing.v1.Transactions', 'althing.v1.Consensus'];
const CLOSE_BOUND_MS = 10_000;
/** The last answers leave the process within this time. */
const FLUSH_MS = 100;
/** A submission in protobuf, with room for its envelope. */
const ENVELOPE_BYTES = 64 * 1024;

/** Rejects when the port cannot be bound, with a message for the person who started the node. */
export async function startGrpc({
  edge,
  host,
  grpcPort,
  logger,
}: GrpcOptions): Promise<GrpcServer> {
  const protos = loadProtos();
  const calls = new Calls(logger);
  const server = new Server({
    'grpc.max_receive_message_length':
      4 * edge.cluster.genesis.limits.submissionBytesMax + ENVELOPE_BYTES,
    'grpc.max_concurrent_streams': 1_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  server.addService(protos.transactions, transactionsService(edge, calls));
  server.addService(protos.consensus, consensusService(edge, calls));
  new ReflectionService(protos.all).addToServer(server);
  const health = new HealthService(edge.health, SERVICES);
  health.addTo(server);
  const port = await bind(server, host, grpcPort).catch((error: unknown) => {
    health.close();
    throw error;
  });
  logger.info({ host, port }, 'gRPC is listening');
  return {
    port,
    drain: () => health.drain(),
    close: (boundMs = CLOSE_BOUND_MS) => close(server, health, calls, boundMs),
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) return resolve(bound);
      reject(
        new Error(
          `gRPC cannot listen on ${address} (${error.message}): ` +
            'stop what uses the port, or choose another with --grpc',
        ),
      );
    });
  });
}

function close(
  server: Server,
  health: HealthService,
  calls: Calls,
  boundMs: number,
): Promise<void> {
  health.drain();
  health.close();
  return new Promise((resolve) => {
    const force = (): void => server.forceShutdown();
    const bound = setTimeout(force, boundMs);
    // Watch calls and idle streams never end by themselves: they do not hold up the stop.
    calls.onceIdle(() => setTimeout(force, Math.min(FLUSH_MS, boundMs)).unref());
    server.tryShutdown(() => {
      clearTimeout(bound);
      resolve();
    });
  });
}
