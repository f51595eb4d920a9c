/** Starts what a test needs, on both bindings where both load, and stops it afterwards. */
import type { ExecutionContext } from 'ava';
import type { Cluster } from '../../protocols/genesis.ts';
import { loadNative } from '../../src/http/native.ts';
import { startHttp, type HttpOptions, type HttpServer } from '../../src/http/server.ts';
import type { DefinedModule } from '../../src/modules/define.ts';
import type { StreamLimits } from '../../src/stream/hub.ts';
import type { Edge } from '../../src/edge/edge.ts';
import { silent, testEdge, type TestPort } from './test-node.ts';

export type BindingName = 'native' | 'fallback';

/** The bindings that load on this Node: the same tests hold for each. */
export const BINDINGS: readonly BindingName[] =
  loadNative() === null ? ['fallback'] : ['native', 'fallback'];

export interface Started {
  readonly port: TestPort;
  readonly edge: Edge;
  readonly http: HttpServer;
  /** `http://127.0.0.1:…` */
  readonly url: string;
}

export async function start(
  t: ExecutionContext,
  binding: BindingName,
  options: Partial<HttpOptions> & {
    readonly devMode?: boolean;
    readonly cluster?: Cluster;
    readonly modules?: readonly DefinedModule[];
    readonly streamLimits?: Partial<StreamLimits>;
  } = {},
): Promise<Started> {
  const { devMode = false, cluster, modules, streamLimits } = options;
  const { port, edge } = testEdge(devMode, modules, cluster, streamLimits);
  const http = await startHttp({
    edge,
    host: '127.0.0.1',
    httpPort: 0,
    logger: silent,
    binding,
    ...options,
  });
  t.teardown(async () => {
    port.release();
    port.streams.close();
    await http.close(1_000);
    edge.close();
  });
  return { port, edge, http, url: `http://127.0.0.1:${http.port}` };
}
