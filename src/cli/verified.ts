/** What commands say of answers that were verified. */
import type { Answer } from '../client/reads.ts';

export type Verified = Pick<Answer, 'height' | 'isComplete'>;

/** As much as holds of all of them. */
export function togetherOf(answers: readonly Verified[]): Required<Verified> {
  return {
    height: Math.min(...answers.map(({ height }) => height)),
    isComplete: answers.every(({ isComplete = true }) => isComplete),
  };
}

/** Beside the result in JSON. */
export function verification({ isComplete = true }: Verified) {
  return { verified: true, complete: isComplete };
}

/** On stderr, for people. */
export function tellVerified({ height, isComplete = true }: Verified): void {
  const gaps = isComplete ? '' : '; of a list it is proved what it has, and not that it is all';
  process.stderr.write(`verified, as of height ${height}${gaps}\n`);
}
