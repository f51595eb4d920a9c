/**
 * Nodes are disturbed while clients send transfers at a fixed rate and retry; afterwards every
 * answer is held against every node, and the nodes against each other.
 */
import type { Bed } from '../bed.ts';
import { alarms } from '../node-logs.ts';
import { agreement } from '../observer.ts';
import { progress } from '../report.ts';
import type { RunResult } from '../tally.ts';
import { failures, latencyLine } from './measured-run.ts';

export interface UnderLoad {
  readonly result: RunResult;
  readonly measured: Readonly<Record<string, unknown>>;
  readonly violations: readonly string[];
  readonly text: readonly string[];
}

/** @param perSecond requests, each of so many transfers */
export async function underLoad(
  bed: Bed,
  perSecond: number,
  disturb: () => Promise<void>,
  txPerSubmission = 1,
): Promise<UnderLoad> {
  const { generator, cluster } = bed;
  await generator.ask({ kind: 'start', perSecond, txPerSubmission });
  await disturb();
  const { result } = await generator.measure({ kind: 'stop' });
  const { height, executed, violations: differences } = await agreement(cluster);
  progress(`looking for ${result.answered} answered submissions on every node`);
  const { violations: lost } = await generator.ask({ kind: 'audit' });
  return {
    result,
    measured: { result, height, executed },
    violations: [...failures(result), ...differences, ...lost, ...(await alarms(cluster))],
    text: [
      `requests      ${result.answered} answered, ${result.failed} failed, ${result.retries} retries`,
      `finality ms   ${latencyLine(result.latency)}`,
      `state         ${executed.stateRoot} at height ${executed.height}`,
    ],
  };
}
