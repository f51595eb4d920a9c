/**
 * The ledger's own stream: one event for each final block, written by consensus, read by everyone
 * that needs old blocks. Height h stands at position h − 1, so height 1 is the stream's first event.
 */
import { nullable, struct, type Schema } from './codec.ts';
import { block, certificate } from './structures.ts';
import type { Block, Certificate } from './types.ts';

export const CHAIN_STREAM = 'chain';

export interface ChainEntry {
  readonly block: Block;
  /** The block's own commit certificate; null when only a descendant has one. */
  readonly certificate: Certificate | null;
}

export const chainEntry: Schema<ChainEntry> = struct({
  block,
  certificate: nullable(certificate),
});

/** Where the block of `height` (≥ 1) stands in the stream. */
export function chainPosition(height: number): number {
  return height - 1;
}
