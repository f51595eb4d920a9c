/**
 * The four-node cluster that `npm start` runs: who listens where. Every port follows from one base,
 * so that a second cluster needs one flag.
 */
import { join } from 'node:path';

export const HOST = '127.0.0.1';
export const DEFAULT_PORT_BASE = 9003;

const IDS = ['validator-1', 'node-2', 'node-3', 'node-4'] as const;
/** Relative to the base: HTTP 9003, 9005–9007; gRPC 9004, 9105–9107; peers 9204–9207; PostgreSQL 9432. */
const HTTP_OFFSETS = [0, 2, 3, 4] as const;
const GRPC_OFFSETS = [1, 102, 103, 104] as const;
const PEER_OFFSETS = [201, 202, 203, 204] as const;
const POSTGRES_OFFSET = 429;
/** The highest base whose ports all exist. */
export const PORT_BASE_MAX = 65_535 - POSTGRES_OFFSET;

export interface NodePlan {
  readonly id: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  /** `data/<id>`: the node's configuration, keys, log file and ready file. */
  readonly dir: string;
  /** Where clients reach it. */
  readonly url: string;
}

export interface ClusterPlan {
  readonly dataDir: string;
  readonly postgresPort: number;
  readonly nodes: readonly NodePlan[];
}

export function planCluster(
  dataDir: string,
  portBase: number = DEFAULT_PORT_BASE,
  postgresPort: number = portBase + POSTGRES_OFFSET,
): ClusterPlan {
  const nodes = IDS.map((id, index): NodePlan => {
    const httpPort = portBase + (HTTP_OFFSETS[index] ?? 0);
    return {
      id,
      httpPort,
      grpcPort: portBase + (GRPC_OFFSETS[index] ?? 0),
      peerPort: portBase + (PEER_OFFSETS[index] ?? 0),
      dir: join(dataDir, id),
      url: `http://${HOST}:${httpPort}`,
    };
  });
  return { dataDir, postgresPort, nodes };
}
