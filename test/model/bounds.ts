/** What an exploration is bounded by, and who plays which part within that. */

export interface Bounds {
  /** The Byzantine validator's index, which says in which terms it leads; null: all are honest. */
  readonly byzantine: number | null;
  /** Terms 0 … terms − 1. */
  readonly terms: number;
  /** Heights 1 … heights. */
  readonly heights: number;
  /** Different blocks that a Byzantine leader makes for one place on one parent. */
  readonly variants: number;
  /** Crashes of honest validators in one execution. */
  readonly crashes: number;
  /** Whether the Byzantine validator also says what every honest one must refuse. */
  readonly lawless: boolean;
}

export const NODES = 4;
export const QUORUM = 3;

export const DEFAULT_BOUNDS: Bounds = {
  byzantine: 0,
  terms: 2,
  heights: 2,
  variants: 2,
  crashes: 0,
  lawless: true,
};

export const EVERYONE: readonly number[] = Array.from({ length: NODES }, (_, index) => index);

export function honestOf({ byzantine }: Bounds): readonly number[] {
  return EVERYONE.filter((index) => index !== byzantine);
}

/**
 * Who stands for a validator: itself if it leads one of the terms, else the first that leads none.
 * Those differ in nothing but their names, so what one of them does any of them does.
 */
export function roleOf({ terms, byzantine }: Bounds, index: number): number {
  if (index < terms) return index;
  return EVERYONE.find((each) => each >= terms && each !== byzantine)!;
}
