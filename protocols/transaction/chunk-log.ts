/**
 * The stream `receipt-roots`: the full chunks of the tree over all blocks' receipts (height-tree.ts).
 * As the receipts (receipt-log.ts) they are numbered by the chain, so that a node that executes it again
 * after a restart knows which stand in the log already.
 */
import { struct, u53 } from '../codec.ts';
import { InvariantViolation, type LogEvent } from '../machine.ts';
import { digest } from '../structures.ts';
import { packStructure, unpackStructure } from '../wire.ts';
import type { Chunk } from './height-tree.ts';

export const CHUNKS_STREAM = 'receipt-roots';
const KIND = 'chunk';

type ChunkHeader = Omit<Chunk, 'hashes'>;
const header = struct<ChunkHeader>({ level: u53, index: u53, root: digest });

export class ChunkLog {
  /** Events in the log, and full chunks of this chain so far. */
  #stored = 0;
  #numbered: number;
  #last: ChunkHeader | null = null;

  /** @param full chunks of the chain before the first that is recorded */
  constructor(full = 0) {
    this.#numbered = full;
  }

  /** The last event of the log. Throws InvariantViolation. */
  recover(event: LogEvent): void {
    const read = unpackStructure(header, event.header);
    if (event.kind !== KIND || !read.ok) {
      throw new InvariantViolation('log_unreadable', `${CHUNKS_STREAM}/${event.seq}`);
    }
    this.#stored = event.seq + 1;
    this.#last = read.value;
  }

  /** The event to append for the next full chunk; none when the log has it. Throws InvariantViolation. */
  record({ level, index, root, hashes }: Chunk): LogEvent | null {
    const seq = this.#numbered++;
    const packed = packStructure(header, { level, index, root });
    if (seq >= this.#stored) {
      return { stream: CHUNKS_STREAM, seq, kind: KIND, header: packed, body: hashes };
    }
    if (seq === this.#stored - 1 && this.#last?.root !== root) {
      throw new InvariantViolation(
        'log_diverged',
        `the log has ${this.#last?.root} at ${CHUNKS_STREAM}/${seq}; executing the chain again gave ${root}`,
      );
    }
    return null;
  }
}
