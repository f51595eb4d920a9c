/**
 * The code under test, as one value: the shell, the four machines and the encodings. Planted bugs are
 * another engine, loaded from a patched copy; nothing in the protocol knows about either.
 */
import type { Shell } from '../../actors/shell.ts';
import type { RecordPace } from '../../protocols/consensus/safety-record.ts';
import type { ConsensusTiming } from '../../protocols/consensus/state.ts';
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import type { Cluster, Program } from '../../protocols/genesis.ts';
import type { Machine } from '../../protocols/machine.ts';
import type {
  ConsensusInput,
  Effect,
  ReplicationInput,
  TransactionInput,
  VotingInput,
} from '../../protocols/messages.ts';
import type {
  ConsensusStatus,
  ReplicationStatus,
  TransactionStatus,
  VotingStatus,
} from '../../protocols/status.ts';

export interface NodeOptions {
  readonly cluster: Cluster;
  readonly self: number;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly timing: ConsensusTiming;
  readonly snapshotWorkMin: number;
  /** Of whole safety records. */
  readonly records: RecordPace;
  /** Whether it has only the modules that run at height 1. */
  readonly lacksUpgrade: boolean;
}

export interface NodeMachines {
  readonly consensus: Machine<ConsensusInput, Effect, ConsensusStatus>;
  readonly voting: Machine<VotingInput, Effect, VotingStatus>;
  readonly replication: Machine<ReplicationInput, Effect, ReplicationStatus>;
  readonly transaction: Machine<TransactionInput, Effect, TransactionStatus>;
}

export interface Engine {
  readonly Shell: typeof Shell;
  machines(options: NodeOptions): NodeMachines;
  /** What runs at height 1. */
  readonly programs: readonly Program[];
  readonly structures: typeof import('../../protocols/structures.ts');
  readonly wire: Pick<typeof import('../../protocols/wire.ts'), 'packMessage' | 'unpackMessage'>;
}
