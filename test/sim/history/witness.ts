/**
 * The chain as honest nodes execute it: the time of each block, and the receipts of all that was in it.
 * It is the one total order that every answer must fit into.
 */
import type { LogEvent } from '../../../protocols/machine.ts';
import type { LocalMessage } from '../../../protocols/messages.ts';
import type { SubmissionReceipts } from '../../../protocols/submission-receipts.ts';
import {
  readReceiptsHeader,
  RECEIPTS_STREAM,
  receiptsIn,
} from '../../../protocols/transaction/receipt-log.ts';
import type { Digest } from '../../../protocols/types.ts';
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';

export interface WitnessedBlock {
  readonly height: number;
  readonly time: number;
  readonly digest: Digest;
  /** In the order of execution: those of timers first. */
  readonly receipts: readonly SubmissionReceipts[];
}

export class Witness implements Observer {
  readonly #blocks = new Map<number, { readonly time: number; readonly digest: Digest }>();
  /** Transactions and timers in the block, as some node has told. */
  readonly #counts = new Map<number, number>();
  readonly #events = new Map<number, LogEvent>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  told(_node: SimNode, _from: string, _to: string, message: LocalMessage): void {
    if (message.kind === 'execute') {
      const { block, digest } = message;
      this.#blocks.set(block.height, { time: block.timestamp, digest });
    } else if (message.kind === 'blockExecuted') {
      this.#counts.set(message.block.height, message.txCount);
    }
  }

  synced(node: SimNode, events: readonly LogEvent[]): void {
    for (const event of events) {
      if (event.stream !== RECEIPTS_STREAM) continue;
      const { height } = readReceiptsHeader(event);
      const known = this.#events.get(height);
      if (known === undefined) this.#events.set(height, event);
      else if (Buffer.compare(known.body!, event.body!) !== 0) {
        this.#report('history', `n${node.instance} has other receipts of height ${height}`);
      }
    }
  }

  /** From height 1 on, as far as all is known. */
  *blocks(): Iterable<WitnessedBlock> {
    for (let height = 1; ; height++) {
      const block = this.#blocks.get(height);
      const event = this.#events.get(height);
      if (block === undefined) return;
      if (event === undefined && this.#counts.get(height) !== 0) return;
      const receipts = event === undefined ? [] : [...receiptsIn(event)];
      yield { height, ...block, receipts };
    }
  }
}
