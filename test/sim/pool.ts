/** Seeds in parallel over worker threads, in small ranges, in order of their start. */
import { Worker } from 'node:worker_threads';
import type { ProfileOptions } from './profile.ts';
import type { Range, WorkerSetup } from './worker.ts';
import type { Outcome } from './world.ts';

export interface Search {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly options: ProfileOptions;
  readonly root: string | null;
  readonly onOutcomes: (outcomes: readonly Outcome[]) => void;
}

const RANGE = 10;

/** Runs all seeds, or as many as it takes to find a violation; answers with the first found. */
export async function search(plan: Search): Promise<Outcome | null> {
  let next = plan.from;
  let found: Outcome | null = null;
  const end = plan.from + plan.seeds;
  const take = (): Range | null => {
    if (found !== null || next >= end) return null;
    const range = { from: next, count: Math.min(RANGE, end - next) };
    next += range.count;
    return range;
  };
  const work = (): Promise<void> =>
    withWorker({ root: plan.root, options: plan.options }, take, (outcomes) => {
      plan.onOutcomes(outcomes);
      const bad = outcomes.find(({ violation }) => violation !== null);
      if (bad !== undefined && (found === null || bad.seed < found.seed)) found = bad;
    });
  await Promise.all(Array.from({ length: plan.jobs }, work));
  return found;
}

function withWorker(
  setup: WorkerSetup,
  take: () => Range | null,
  onOutcomes: (outcomes: readonly Outcome[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup });
    const give = (): void => {
      const range = take();
      if (range === null) void worker.terminate().then(() => resolve());
      else worker.postMessage(range);
    };
    worker.on('message', (outcomes: readonly Outcome[]) => {
      onOutcomes(outcomes);
      give();
    });
    worker.on('error', reject);
    give();
  });
}
