/**
 * Whether the memory of processes grows under steady load: the last minute's mean against the third
 * minute's, when caches are warm. A run that is shorter than four minutes is cut into three parts,
 * shown, and not judged.
 */
import { round } from '../report.ts';

const MINUTE = 60;
const JUDGED_MINUTES_MIN = 4;
const WARM_INTERVAL = 2;
const GROWTH_MAX = 1.1;
const PARTS = 3;

/** Seconds from the start at which the intervals end. */
export function intervalsOf(seconds: number): number[] {
  const minutes = Math.floor(seconds / MINUTE);
  const [count, length] =
    minutes >= JUDGED_MINUTES_MIN ? [minutes, MINUTE] : [PARTS, seconds / PARTS];
  return Array.from({ length: count }, (_, at) => (at + 1) * length);
}

export interface Growth {
  /** Of each process; empty when the run is too short to say. */
  readonly factors: readonly number[];
  readonly violations: readonly string[];
  readonly text: string;
}

/**
 * @param names of the processes
 * @param intervals for each interval, the memory of each process
 */
export function growth(
  names: readonly string[],
  intervals: readonly (readonly number[])[],
): Growth {
  const warm = intervals[WARM_INTERVAL];
  const last = intervals.at(-1);
  if (warm === undefined || last === undefined || intervals.length < JUDGED_MINUTES_MIN) {
    return {
      factors: [],
      violations: [],
      text: 'not judged: the run is shorter than four minutes',
    };
  }
  const factors = last.map((value, process) => round(value / warm[process]!, 3));
  const violations = factors.flatMap((factor, process) =>
    factor <= GROWTH_MAX
      ? []
      : [`memory of ${names[process]}: last minute ${factor} × the third, more than ${GROWTH_MAX}`],
  );
  const text = factors.map((factor, process) => `${names[process]} ${factor}`).join(', ');
  return { factors, violations, text: `last minute / third minute: ${text}` };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
