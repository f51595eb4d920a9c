/** Events of the log as rows of the read model. Pure: the same log gives the same rows. */
import { fromHex } from '../../protocols/bytes.ts';
import { chainEntry, type ChainEntry } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import { decodeCalls } from '../../protocols/transaction/calls.ts';
import { receiptsIn } from '../../protocols/transaction/receipt-log.ts';
import { decodeReceipts, type ReceiptEvent } from '../../protocols/transaction/receipts.ts';
import { unpackStructure } from '../../protocols/wire.ts';
import type { SubmissionReceipts } from '../../protocols/submission-receipts.ts';

/** The log holds what this version cannot read. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

export function entryOf(event: LogEvent): ChainEntry {
  const read = unpackStructure(chainEntry, event.header);
  if (read.ok) return read.value;
  throw new Unreadable(`chain/${event.seq} of the log: ${read.error}`);
}

export const BLOCK_COLUMNS = [
  ['height', 'bigint'],
  ['created_at', 'timestamptz'],
  ['epoch', 'bigint'],
  ['term', 'bigint'],
  ['executed_height', 'bigint'],
  ['digest', 'bytea'],
  ['state_root', 'bytea'],
  ['receipts_root', 'bytea'],
] as const;

export function blockRow({ block }: ChainEntry, digest: Uint8Array): unknown[] {
  const { height, timestamp, epoch, term, executed } = block;
  return [
    height,
    new Date(timestamp),
    epoch,
    term,
    executed.height,
    digest,
    fromHex(executed.stateRoot),
    fromHex(executed.receiptsRoot),
  ];
}

export const VOTE_COLUMNS = [
  ['height', 'bigint'],
  ['created_at', 'timestamptz'],
  ['epoch', 'bigint'],
  ['term', 'bigint'],
  ['validator', 'text'],
  ['kind', 'text'],
  ['block', 'bytea'],
] as const;

/** The commit votes by which the block became final; none where a descendant's did it. */
export function voteRows(
  { block, certificate }: ChainEntry,
  validators: readonly string[],
): unknown[][] {
  if (certificate === null) return [];
  const { epoch, term, height, block: digest, kind, votes } = certificate;
  const time = new Date(block.timestamp);
  return votes.map(({ voter }) => [
    height,
    time,
    epoch,
    term,
    validators[voter] ?? String(voter),
    kind,
    fromHex(digest),
  ]);
}

export const TRANSACTION_COLUMNS = [
  ['height', 'bigint'],
  ['created_at', 'timestamptz'],
  ['index', 'integer'],
  ['position', 'integer'],
  ['submission', 'bytea'],
  ['module', 'text'],
  ['command', 'text'],
  ['sender', 'text'],
  ['status', 'text'],
  ['error', 'text'],
] as const;

/** An event that a module has emitted, and where. */
export interface Emitted extends ReceiptEvent {
  readonly height: number;
  /** Of the transaction in its block. */
  readonly index: number;
  /** Of the event in its transaction. */
  readonly ordinal: number;
  readonly time: Date;
}

export interface ExecutedRow {
  readonly row: readonly unknown[];
  readonly events: readonly Emitted[];
}

/**
 * Of the transactions `from … to − 1` that a block has executed, with as much unpacked as they need.
 */
export function executedRows(
  event: LogEvent,
  timeOf: (height: number) => Date,
  from: number,
  to: number,
): ExecutedRow[] {
  const rows: ExecutedRow[] = [];
  for (const receipts of receiptsIn(event)) {
    const { index, txCount, height } = receipts;
    if (index >= to) break;
    if (index + txCount <= from) continue;
    const all = rowsOf(receipts, timeOf(height));
    rows.push(...all.slice(Math.max(0, from - index), to - index));
  }
  return rows;
}

function rowsOf(receipts: SubmissionReceipts, time: Date): ExecutedRow[] {
  const outcomes = decodeReceipts(receipts);
  const calls = decodeCalls(receipts.calls, receipts.txCount);
  if (outcomes === null || calls === null) {
    throw new Unreadable(`receipts of submission ${receipts.id} in the log`);
  }
  const submission = fromHex(receipts.id);
  const rows: ExecutedRow[] = [];
  const { height } = receipts;
  for (const { module, command, count } of calls) {
    for (let i = 0; i < count; i++) {
      const position = rows.length;
      const { index, status, error, events } = outcomes[position]!;
      const row = [
        height,
        time,
        index,
        position,
        submission,
        module,
        command,
        receipts.sender,
        status,
        error?.code ?? null,
      ];
      const emitted = events.map((each, ordinal) => ({ ...each, height, index, ordinal, time }));
      rows.push({ row, events: emitted });
    }
  }
  return rows;
}
