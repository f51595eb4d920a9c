/** A worker thread of the simulator: takes ranges of seeds, answers with what it saw. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadEngine } from './build-engine.ts';
import type { ProfileOptions } from './profile.ts';
import { runSeed } from './run.ts';
import type { Outcome } from './world.ts';

export interface WorkerSetup {
  /** Compiled tree to load the engine from; the real one when null. */
  readonly root: string | null;
  readonly options: ProfileOptions;
}

export interface Range {
  readonly from: number;
  readonly count: number;
}

const { root, options } = workerData as WorkerSetup;
const engine = await (root === null ? loadEngine() : loadEngine(root));

parentPort?.on('message', ({ from, count }: Range) => {
  const outcomes: Outcome[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const outcome = runSeed(engine, seed, options);
    outcomes.push(outcome);
    if (outcome.violation !== null) break;
  }
  parentPort?.postMessage(outcomes);
});
