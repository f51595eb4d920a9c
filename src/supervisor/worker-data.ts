/** What a worker thread is started with: plain data, because it crosses into another thread. */
import type { MessagePort } from 'node:worker_threads';
import type { Cluster } from '../../protocols/genesis.ts';
import type { ProtocolActor } from '../../protocols/messages.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import type { ActorLogOptions } from '../log/actor-log.ts';
import type { LogLevel } from '../logger.ts';
import type { ModuleFile } from '../modules/user/load.ts';

export interface WorkerInput {
  /** Name of the thread in logs and metrics, such as `actors-1`. */
  readonly thread: string;
  readonly nodeId: string;
  readonly logLevel: LogLevel;
  readonly actors: readonly ProtocolActor[];
  readonly cluster: Cluster;
  readonly self: ValidatorIndex;
  readonly keyPath: string;
  readonly snapshotsFolder: string;
  readonly moduleFiles: readonly ModuleFile[];
  readonly timing: { readonly electionTimeoutMs: number; readonly heartbeatMs: number };
  /** By actor. Holds the database's password: never logged. */
  readonly logs: Readonly<Partial<Record<ProtocolActor, ActorLogOptions>>>;
  /** Ports to the actors of other worker threads; the way to the edge is the parent port. */
  readonly ports: readonly {
    readonly actors: readonly ProtocolActor[];
    readonly port: MessagePort;
  }[];
}
