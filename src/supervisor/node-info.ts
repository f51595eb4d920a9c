/** What a node says of itself that does not change while it runs. */
import { programOf, type Program } from '../../protocols/genesis.ts';
import type { NodeConfig } from '../config/load.ts';
import { VERSION } from '../config/version.ts';
import type { NodeInfo } from '../edge/port.ts';

/** On which it listens. */
export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly peer: number;
}

export function infoOf(config: NodeConfig, threads: number, modules: readonly Program[]): NodeInfo {
  const { cluster } = config;
  return {
    nodeId: config.id,
    clusterId: cluster.id,
    clusterName: cluster.genesis.name,
    index: config.index,
    validators: cluster.genesis.validators.map(({ id }) => id),
    quorum: cluster.quorum,
    version: VERSION,
    devMode: config.dev,
    threads,
    availablePrograms: modules.map(programOf),
    startedAtMs: Date.now(),
  };
}
