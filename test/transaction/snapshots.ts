/** Snapshots of the chains of fixture.ts. */
import type { Cluster } from '../../protocols/genesis.ts';
import type { BlockResult } from '../../protocols/transaction/execution.ts';
import {
  SnapshotLoader,
  SnapshotWriter,
  type LoadedSnapshot,
  type SnapshotHead,
} from '../../protocols/transaction/snapshot.ts';
import { crypto } from './crypto.ts';
import type { Chain } from './fixture.ts';

export interface Taken {
  readonly head: SnapshotHead;
  readonly parts: Uint8Array[];
}

/** @param result of a block with a checkpoint, which was executed last */
export function headOf({ executor }: Chain, { checkpoint }: BlockResult): SnapshotHead {
  const { clusterId, time, transactions } = executor;
  return { clusterId, executed: checkpoint!, time, cut: [], transactions, busyBlocks: 0 };
}

/** A snapshot in one go, after a block with a checkpoint. */
export function snapshotOf(chain: Chain, result: BlockResult): Taken {
  const writer = new SnapshotWriter(chain.executor.state, chain.executor.heights);
  const parts: Uint8Array[] = [];
  while (!writer.isDone) take(writer, Infinity, parts);
  return { head: headOf(chain, result), parts };
}

export function take(writer: SnapshotWriter, rows: number, parts: Uint8Array[]): void {
  const part = writer.next(rows);
  if (part !== null) parts.push(part);
}

export function loadSnapshot(cluster: Cluster, { head, parts }: Taken): LoadedSnapshot | null {
  const loader = new SnapshotLoader(crypto, cluster.genesis.limits);
  return parts.every((part) => loader.add(part)) ? loader.finish(head) : null;
}
