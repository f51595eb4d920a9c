/** How long the projection rests after a step, so that the node has the time. */

/** Above this many transactions a second the projection steps aside, however far behind it is. */
const LOAD_MAX = 1_000;
/** So much of the time it takes then, and while it keeps up; more where steps take so long that a rest is bounded. */
const SHARE = 0.02;
/** A step may have taken long for another reason than its work: a thread that starts, a lock. */
const REST_MS_MAX = { loaded: 10_000, keepingUp: 1_000 };

/**
 * After a step that took `ms`, while the node executes `load` transactions a second. What a step costs whatever
 * it takes is spent seldom: it waits for more. Who catches up does not rest.
 */
export function restMs(
  { isAtEnd }: { readonly isAtEnd: boolean },
  ms: number,
  load: number,
): number {
  const isLoaded = load > LOAD_MAX;
  if (!isAtEnd && !isLoaded) return 0;
  const max = isLoaded ? REST_MS_MAX.loaded : REST_MS_MAX.keepingUp;
  return Math.min(ms * (1 / SHARE - 1), max);
}
