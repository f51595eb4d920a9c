/** Entry of the signing thread: signs chunk after chunk of the same sequence of submissions. */
import { parentPort, workerData } from 'node:worker_threads';
import { transfers, workloadOf, type WorkloadSeed } from './workload.ts';

export interface SigningInput {
  readonly seed: WorkloadSeed;
  readonly perSubmission: number;
  readonly perChunk: number;
}

if (parentPort !== null) {
  const port = parentPort;
  const { seed, perSubmission, perChunk } = workerData as SigningInput;
  const workload = workloadOf(seed);
  let first = 0;
  // Each message asks for one more chunk.
  port.on('message', () => {
    port.postMessage(transfers(workload, { first, count: perChunk, perSubmission }));
    first += perChunk;
  });
}
