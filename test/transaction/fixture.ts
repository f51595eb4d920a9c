/** A cluster of four, blocks made by hand, and what is short to say about submissions. */
import { utf8 } from '../../protocols/bytes.ts';
import type { Signer } from '../../protocols/crypto.ts';
import { DEFAULT_LIMITS, type Cluster, type ConsensusLimits } from '../../protocols/genesis.ts';
import type { BlockResult, FinalBlock, Listener } from '../../protocols/transaction/execution.ts';
import { Executor } from '../../protocols/transaction/executor.ts';
import { defaultModules, type TestModules } from './modules.ts';
import type { LoadedSnapshot } from '../../protocols/transaction/snapshot.ts';
import { buildPayload } from '../../protocols/transaction/payload.ts';
import type { Place } from '../../protocols/transaction/places.ts';
import type { RefusalCode } from '../../protocols/transaction/refusals.ts';
import { decodeReceipts, type Receipt } from '../../protocols/transaction/receipts.ts';
import {
  encodeSubmission,
  signSubmission,
  type Call,
} from '../../protocols/transaction/submission.ts';
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import { ZERO_DIGEST, type Block, type Digest } from '../../protocols/types.ts';
import { crypto, testSigner } from './crypto.ts';

export const START_MS = 1_700_000_000_000;
export const CLUSTER_ID = 'ab'.repeat(32) as Digest;
export const nodes: readonly Signer[] = [101, 102, 103, 104].map(testSigner);
export const alice = testSigner(1);
export const bob = testSigner(2);

export function clusterOf(
  limits: Partial<ConsensusLimits> = {},
  modules: Readonly<Record<string, unknown>> = {},
): Cluster {
  return {
    id: CLUSTER_ID,
    genesis: {
      version: 1,
      name: 'test',
      createdAtMs: START_MS,
      validators: nodes.map(({ publicKey }, at) => ({ id: `validator-${at}`, publicKey })),
      limits: { ...DEFAULT_LIMITS, checkpointInterval: 4, ...limits },
      modules,
    },
    n: 4,
    quorum: 3,
  };
}

export interface SignedOptions {
  readonly signer?: Signer;
  readonly validUntil?: number;
}

/** A client's submission under `seq`. */
export function signed(
  seq: number,
  calls: readonly Call[],
  options: SignedOptions = {},
): Uint8Array {
  const { signer = alice, validUntil = START_MS + 600_000 } = options;
  const content = { clusterId: CLUSTER_ID, validUntil, transactions: calls };
  return signSubmission({ kind: 'client', key: signer.publicKey, seq, ...content }, signer);
}

/** What node `lane` takes for `principal`, without a signature of its own. */
export function vouched(
  key: string,
  calls: readonly Call[],
  options: { lane?: number; principal?: string; validUntil?: number } = {},
): Uint8Array {
  const { lane = 0, principal = 'alice', validUntil = START_MS + 600_000 } = options;
  return encodeSubmission({
    kind: 'node',
    clusterId: CLUSTER_ID,
    key: nodes[lane]!.publicKey,
    principal,
    idempotencyKey: utf8(key),
    validUntil,
    transactions: calls,
  });
}

export function payloadOf(submissions: readonly Uint8Array[]): Uint8Array {
  return buildPayload(
    submissions,
    submissions.reduce((sum, { length }) => sum + length + 4, 0),
  );
}

export function blockAt(height: number, timestamp = START_MS + height * 10): Block {
  return {
    epoch: 0,
    term: 0,
    height,
    parent: ZERO_DIGEST,
    justify: { kind: 'epoch' },
    cut: [],
    timestamp,
    executed: {
      height: 0,
      stateRoot: ZERO_DIGEST,
      receiptsRoot: ZERO_DIGEST,
      pendingSet: ZERO_DIGEST,
    },
    endsEpoch: null,
    signature: new Uint8Array(64),
  };
}

/** A final block; each batch is its lane and its submissions. */
export function finalBlock(
  height: number,
  batches: readonly (readonly [number, readonly Uint8Array[]])[],
  timestamp?: number,
): FinalBlock {
  return {
    block: blockAt(height, timestamp),
    digest: height.toString(16).padStart(64, '0') as Digest,
    batches: batches.map(([lane, submissions]) => ({ lane, payload: payloadOf(submissions) })),
  };
}

/** What the executor says of each submission that goes by. */
export type Heard =
  | { readonly kind: 'executed'; readonly receipts: SubmissionReceipts }
  | { readonly kind: 'repeated'; readonly id: Digest; readonly place: Place }
  | { readonly kind: 'refused'; readonly id: Digest; readonly code: RefusalCode };

/** Executes blocks one after the other and keeps what it heard. */
export class Chain {
  readonly executor: Executor;
  readonly heard: Heard[] = [];

  constructor(
    cluster: Cluster = clusterOf(),
    modules: TestModules = defaultModules,
    snapshot: LoadedSnapshot | null = null,
  ) {
    const listener: Listener = {
      isChecked: () => false,
      executed: (receipts) => void this.heard.push({ kind: 'executed', receipts }),
      repeated: (id, place) => void this.heard.push({ kind: 'repeated', id, place }),
      refused: (id, code) => void this.heard.push({ kind: 'refused', id, code }),
      tooFar: () => undefined,
      batchDone: () => undefined,
      programsChanged: () => undefined,
    };
    this.executor = new Executor(crypto, cluster, modules, listener, snapshot);
  }

  /** The next block, executed in one go. */
  next(
    batches: readonly (readonly [number, readonly Uint8Array[]])[],
    timestamp?: number,
  ): BlockResult {
    const budget = { left: Infinity };
    this.executor.begin(finalBlock(this.executor.height + 1, batches, timestamp), budget);
    const result = this.executor.advance(budget);
    if (result === null) throw new Error('the block was not finished');
    return result;
  }

  /** The next block with these submissions in lane 0. */
  run(...submissions: Uint8Array[]): BlockResult {
    return this.next([[0, submissions]]);
  }

  /** The state root now, whatever the height. */
  root(): Digest {
    return this.executor.state.checkpoint();
  }
}

export function receiptsOf(result: BlockResult): Receipt[] {
  return result.receipts.flatMap((each) => decodeReceipts(each) ?? []);
}

export function idOf(submission: Uint8Array, isSigned = true): Digest {
  return crypto.hash(isSigned ? submission.subarray(0, submission.length - 64) : submission);
}
