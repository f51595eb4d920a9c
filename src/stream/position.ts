/**
 * Places in the stream. The items of a height are numbered from 0, whatever a subscriber asked for, so
 * that a place means the same under every filter, at every node.
 *
 * As text: `H.I` is the item I of height H, and `H` the end of height H. A client that resumes names the
 * last place that it has seen: what comes next is what follows it.
 */

/** The next item that is wanted. */
export interface Position {
  readonly height: number;
  readonly index: number;
}

const PLACE = /^(0|[1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,9}))?$/;

/** What follows the place that `text` names; null when it names none. */
export function after(text: string): Position | null {
  const [, height, index] = PLACE.exec(text) ?? [];
  if (height === undefined || !Number.isSafeInteger(Number(height) + 1)) return null;
  if (index === undefined) return { height: Number(height) + 1, index: 0 };
  return { height: Number(height), index: Number(index) + 1 };
}

/** The place just before `next`: where a client that has everything up to there resumes. */
export function resumeAt({ height, index }: Position): string {
  return index === 0 ? `${height - 1}` : `${height}.${index - 1}`;
}
