/** What a test hands to its worker threads (worker.ts), and what submissions make them do. */
import type { WorkerInput } from '../../src/supervisor/worker-data.ts';

/** What the first byte of a submission makes the actor do. */
export const ORDERS = {
  pass: 0,
  stallTransaction: 1,
  stallReplication: 2,
  fail: 3,
  diverge: 4,
  /** From now on the log of transaction answers only once the gate is open. */
  stallLog: 5,
};

export interface TestInput extends WorkerInput {
  /** Opened (1) by the test to let stalled threads go on. */
  readonly gate: Int32Array;
  readonly folder: string;
}
