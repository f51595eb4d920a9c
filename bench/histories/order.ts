/** The order in which clients saw things happen, against the order in which they did. */

/** Something that was asked for and answered, and where it stands in the chain. Times of one clock. */
export interface Operation {
  readonly label: string;
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly height: number;
  readonly index: number;
}

/**
 * What stands before something that was answered before it was asked for, in words; null when nothing
 * does: then the order of the chain is one that all clients can have seen.
 */
export function outOfOrder(operations: readonly Operation[]): string | null {
  const answered = operations.toSorted((a, b) => a.answeredAt - b.answeredAt);
  let next = 0;
  let last: Operation | null = null;
  for (const operation of operations.toSorted((a, b) => a.askedAt - b.askedAt)) {
    for (; next < answered.length && answered[next]!.answeredAt < operation.askedAt; next++) {
      if (last === null || isBefore(last, answered[next]!)) last = answered[next]!;
    }
    if (last === null || isBefore(last, operation)) continue;
    return `${named(operation)} was asked after ${named(last)} was answered`;
  }
  return null;
}

function isBefore(a: Operation, b: Operation): boolean {
  return a.height < b.height || (a.height === b.height && a.index < b.index);
}

const named = ({ label, height, index }: Operation): string => `${label} at ${height}/${index}`;
