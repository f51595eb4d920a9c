/** Which planted bugs the checker finds, and the smallest bound that is known to show each. */
import { DEFAULT_BOUNDS, type Bounds } from './bounds.ts';

export interface PlantedBound extends Partial<Bounds> {
  /** Of its file in test/planted/. */
  readonly name: string;
}

export function boundsOf({ name: _, ...bounds }: PlantedBound): Bounds {
  return { ...DEFAULT_BOUNDS, heights: 1, terms: 1, ...bounds };
}

export const PLANTED: readonly PlantedBound[] = [];
