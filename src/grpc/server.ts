/**
 * The client's gRPC port: health, reflection, and the services of ours, over plaintext HTTP/2 on the
 * address it is told to bind. Peers have a port of their own.
 */
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { Server, type ServerInterceptor } from '@grpc/grpc-js';
import { Descriptors } from '../edge/descriptors.ts';
import type { Edge } from '../edge/edge.ts';
import type { EdgeLogger } from '../edge/logger.ts';
import { endSessionsInTurn } from '../http2-endings.ts';
import { Calls } from './calls.ts';
import { Connections } from './connections.ts';
import { HealthService } from './health-service.ts';
import { hostsOnly, Intake } from './intake.ts';
import { GRPC_LIMITS, messageBytesMax, STANDARD_LIMITS, type GrpcLimits } from './limits.ts';
import { Services } from './services.ts';

export interface GrpcOptions {
  readonly edge: Edge;
  readonly host: string;
  /** 0 takes any free port. */
  readonly grpcPort: number;
  readonly logger: EdgeLogger;
  readonly limits?: Partial<GrpcLimits>;
}

export interface GrpcServer {
  readonly port: number;
  /** NOT_SERVING from now on, for balancers to see before the port closes. */
  drain(): void;
  /** Takes no new calls, waits up to `boundMs` for those under way, then closes connections. */
  close(boundMs?: number): Promise<void>;
}

const OUR_PATHS = '/althing.';
const CLOSE_BOUND_MS = 10_000;
/** The last answers leave the process within this time. */
const FLUSH_MS = 100;

/** Has all services, and no port yet. */
export interface PreparedGrpc {
  /** Rejects when the port cannot be bound, with a message for the person who started the node. */
  listen(): Promise<GrpcServer>;
}

export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  return prepareGrpc(options).listen();
}

/** Takes some tenths of a second at once, for the services' files are parsed. */
export function prepareGrpc({
  edge,
  logger,
  limits: chosen = {},
  ...at
}: GrpcOptions): PreparedGrpc {
  endSessionsInTurn();
  const calls = new Calls(logger);
  const limits = { ...GRPC_LIMITS, ...chosen };
  const server = new Server({
    interceptors: [
      hostsOnly((host) => edge.hostProblem(host)),
      intakes(limits, (connection) => connections.cut(connection)),
    ],
    'grpc.max_receive_message_length': messageBytesMax(
      edge.cluster.genesis.limits.submissionBytesMax,
    ),
    'grpc.max_concurrent_streams': limits.callsPerConnectionMax,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const connections = new Connections(server, limits, new Descriptors(logger));
  const health = new HealthService(edge.health);
  health.addTo(server);
  const services = new Services({ edge, calls, server, health });
  services.serve();
  edge.whenCatalogChanges(() => {
    try {
      services.serve();
    } catch (error) {
      // The chain and HTTP have gone on with the module: gRPC alone is no reason to end the node.
      const reason = error instanceof Error ? error.message : String(error);
      logger.error({ reason }, 'gRPC keeps the services of the modules before this upgrade');
    }
  });
  const { tcp } = connections;
  const listen = async (): Promise<GrpcServer> => {
    const { host, grpcPort } = at;
    const port = await bind(tcp, host, grpcPort).catch((error: unknown) => {
      health.close();
      server.forceShutdown();
      throw error;
    });
    logger.info({ host, port }, 'gRPC is listening');
    return {
      port,
      drain: () => health.drain(),
      close: (boundMs = CLOSE_BOUND_MS) => {
        tcp.close();
        return close(server, health, calls, boundMs);
      },
    };
  };
  return { listen };
}

/** One for the services of ours, one for those that every gRPC port has. */
function intakes(limits: GrpcLimits, cut: (connection: string) => void): ServerInterceptor {
  const ours = new Intake(limits, cut);
  const standard = new Intake(STANDARD_LIMITS, cut);
  return (method, call) =>
    (method.path.startsWith(OUR_PATHS) ? ours : standard).interceptor(method, call);
}

function bind(tcp: TcpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // For good: without a listener a connection that cannot be accepted later ends the process.
    tcp.on('error', (error) => {
      reject(
        new Error(
          `gRPC cannot listen on ${host}:${port} (${error.message}): ` +
            'stop what uses the port, or choose another with --grpc',
        ),
      );
    });
    tcp.listen({ host, port, exclusive: true }, () => {
      resolve((tcp.address() as AddressInfo).port);
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
