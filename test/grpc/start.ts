/** A gRPC edge over the test node, and real clients for it. */
import type { ExecutionContext } from 'ava';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Edge } from '../../src/edge/edge.ts';
import { startGrpc, type GrpcOptions, type GrpcServer } from '../../src/grpc/server.ts';
import { loadProtos } from '../../src/grpc/protos.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import type { DefinedModule } from '../../src/modules/define.ts';
import type { StreamLimits } from '../../src/stream/hub.ts';
import { silent, testEdge, type TestPort } from '../http/test-node.ts';

export interface Started {
  readonly edge: Edge;
  readonly port: TestPort;
  readonly grpc: GrpcServer;
  readonly address: string;
}

export async function start(
  t: ExecutionContext,
  devMode = false,
  options: Pick<GrpcOptions, 'limits'> & {
    readonly modules?: readonly DefinedModule[];
    readonly streamLimits?: Partial<StreamLimits>;
  } = {},
): Promise<Started> {
  const { limits, modules, streamLimits } = options;
  const { port, edge } = testEdge(devMode, modules, undefined, streamLimits);
  const address = { host: '127.0.0.1', grpcPort: 0 };
  const grpc = await startGrpc({
    edge,
    ...address,
    logger: silent,
    ...(limits === undefined ? {} : { limits }),
  });
  t.teardown(async () => {
    port.release();
    port.streams.close();
    await grpc.close(200);
    edge.close();
  });
  return { edge, port, grpc, address: `127.0.0.1:${grpc.port}` };
}

const protos = loadProtos(builtInModules);
type Callback<T> = (error: ServiceError | null, answer: T) => void;
type Unary = (request: object, metadata: Metadata, done: Callback<object>) => unknown;
type Stream = (metadata?: Metadata) => ClientDuplexStream<object, object>;
type Watch = (request: object, metadata: Metadata) => ClientReadableStream<object>;
type Constructor = new (address: string, credential: ChannelCredentials) => Client;

/** A client of one service, by its full name. */
export class TestClient {
  readonly #client: Client;

  constructor(
    t: ExecutionContext,
    address: string,
    service: string,
    credential: ChannelCredentials = credentials.createInsecure(),
    definitions = protos.all,
  ) {
    const root = loadPackageDefinition(definitions);
    const found = service
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], root);
    this.#client = new (found as Constructor)(address, credential);
    // In a turn of its own (endSession).
    t.teardown(() => setImmediate(() => this.#client.close()));
  }

  /** Rejects with the ServiceError. */
  call<T>(method: string, request: object, metadata = new Metadata()): Promise<T> {
    return new Promise((resolve, reject) => {
      const unary = (this.#client as unknown as Record<string, Unary>)[method];
      unary?.call(this.#client, request, metadata, (error, answer) => {
        if (error === null) resolve(answer as T);
        else reject(error);
      });
    });
  }

  stream(method: string, metadata?: Metadata): ClientDuplexStream<object, object> {
    const open = (this.#client as unknown as Record<string, Stream>)[method];
    if (open === undefined) throw new Error(`no method ${method}`);
    return open.call(this.#client, metadata);
  }

  /** The same, as a stream of Node. */
  answers<T>(method: string, request: object, metadata = new Metadata()): ClientReadableStream<T> {
    const open = (this.#client as unknown as Record<string, Watch>)[method];
    if (open === undefined) throw new Error(`no method ${method}`);
    return open.call(this.#client, request, metadata) as ClientReadableStream<T>;
  }

  /** A server stream of the answers to one request. */
  watch(method: string, request: object): AsyncIterator<object> & { cancel(): void } {
    const open = (this.#client as unknown as Record<string, (request: object) => unknown>)[method];
    const call = open?.call(this.#client, request) as AsyncIterable<object> & { cancel(): void };
    (call as unknown as NodeJS.EventEmitter).on('error', () => undefined);
    const iterator = call[Symbol.asyncIterator]();
    return { next: () => iterator.next(), cancel: () => call.cancel() };
  }
}

export function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
