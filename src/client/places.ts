/**
 * Places of proved events: what is certified says at which height an event happened, in which transaction
 * of its block, and as which of that transaction's events. A node's own numbers of the items of a
 * height (docs/http.md) are not certified, and not believed.
 *
 * As text: `H/T/E`, and `H` for the end of height H. A place is the same at every node.
 */

export interface Place {
  readonly height: number;
  readonly transaction: number;
  readonly event: number;
}

const PLACE = /^(0|[1-9][0-9]{0,15})(?:\/(0|[1-9][0-9]{0,9})\/(0|[1-9][0-9]{0,9}))?$/;

/** After all that happens at the height. */
export function endOf(height: number): Place {
  return { height, transaction: Infinity, event: Infinity };
}

export function comparePlaces(a: Place, b: Place): number {
  if (a.height !== b.height) return a.height - b.height;
  // Not subtracted: both may be infinite.
  if (a.transaction !== b.transaction) return a.transaction < b.transaction ? -1 : 1;
  return a.event === b.event ? 0 : a.event < b.event ? -1 : 1;
}

export function placeText({ height, transaction, event }: Place): string {
  return transaction === Infinity ? `${height}` : `${height}/${transaction}/${event}`;
}

/** Null when the text names none. */
export function readPlace(text: string): Place | null {
  const [, height, transaction, event] = PLACE.exec(text) ?? [];
  if (height === undefined || !Number.isSafeInteger(Number(height))) return null;
  if (transaction === undefined) return endOf(Number(height));
  return { height: Number(height), transaction: Number(transaction), event: Number(event) };
}
