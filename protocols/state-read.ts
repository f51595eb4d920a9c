/** A read of executed state through a query of a module: the same from the edge to the module. */
export interface StateRead {
  readonly module: string;
  readonly query: string;
  readonly args: unknown;
  /** Refused with `catching_up` while less than this height is executed here. */
  readonly notBelow?: number;
  /** The height to read; absent, the one executed last. `height_pruned` when it is no longer kept. */
  readonly atHeight?: number;
}
