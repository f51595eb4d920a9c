/** Where the hub has its heights from. */
import type { Height } from './parts.ts';

export interface StreamSource {
  /** A block was executed here, in height order. Cheap: told of every block. */
  executed(height: number, txCount: number): void;
  /** The newest height that the node has executed; not all of it may be in the log yet. */
  newest(): Promise<number>;
  /** The same as far as it is known without asking the log; null at first. */
  known(): number | null;
  /**
   * Heights from `from` on, as many as one page takes; none while that one is not whole yet. Rejects with
   * a transient error while the log is away.
   */
  read(from: number): Promise<readonly Height[]>;
}
