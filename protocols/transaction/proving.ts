/**
 * Proofs of rows, and of all rows that a query looks at: claims with their ways up to the state root of
 * the last checkpoint. The blocks that certify it are the edge's to add.
 *
 * I116. What is proved is what the rows were at the checkpoint and are now: while any row differs from
 *       the last checkpoint a proof waits for the next one, and is made before the block after it. So a
 *       proof shows all that was final when it was asked for, and no old rows are kept for it. One turn
 *       makes no more than PROOF_BYTES_PER_TURN and one proof more, and what waits is bounded.
 */
import type { Crypto } from '../crypto.ts';
import type { AnswerResult } from '../messages.ts';
import { CLAIMS_MAX, KEY_BYTES_MAX, type Claim } from '../proofs/format.ts';
import type { Proved, ProofWanted } from '../proofs/request.ts';
import type { Executed, Millis } from '../types.ts';
import type { Executor } from './executor.ts';
import type { Queries } from './queries.ts';
import { RecordedView, type SeenRow } from './recorded-view.ts';
import { pathOf, tableId } from './tree-encoding.ts';
import { encodeValue, sizeOf, utf8Length, type Value } from './values.ts';

/** As for queries (I99): about a millisecond, here and where they are packed. */
const PROOF_BYTES_PER_TURN = 64 * 1024;
/** What a proof costs besides its claims, in bytes. */
const PROOF_COST = 256;
const WAITING_MAX = 1024;

export type RowsWanted = Exclude<ProofWanted, { kind: 'submission' }>;

interface Asked {
  readonly request: number;
  readonly wanted: RowsWanted;
}

export class Proving {
  readonly #crypto: Crypto;
  readonly #executor: Executor;
  readonly #queries: Queries;
  #waiting: Asked[] = [];
  #checkpoint: { readonly executed: Executed; readonly time: Millis } | null = null;

  constructor(crypto: Crypto, executor: Executor, queries: Queries) {
    this.#crypto = crypto;
    this.#executor = executor;
    this.#queries = queries;
  }

  /** The last checkpoint; null before the first. */
  get executed(): Executed | null {
    return this.#checkpoint?.executed ?? null;
  }

  /** There is something to prove, and the rows are those of a checkpoint. */
  get isDue(): boolean {
    const { state } = this.#executor;
    return this.#waiting.length > 0 && this.#checkpoint !== null && state.isCheckpoint;
  }

  /** The executor has just made this one. */
  checkpointMade(executed: Executed): void {
    this.#checkpoint = { executed, time: this.#executor.time };
  }

  /** False when too many wait already. */
  take(asked: Asked): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false;
    this.#waiting.push(asked);
    return true;
  }

  /** Answers the oldest that wait, and leaves what is too much for one turn. */
  answer(tell: (request: number, result: AnswerResult) => void): void {
    let bytes = 0;
    let done = 0;
    while (this.isDue && done < this.#waiting.length && bytes < PROOF_BYTES_PER_TURN) {
      const { request, wanted } = this.#waiting[done++]!;
      const result = this.#prove(wanted);
      bytes += PROOF_COST + (result.ok ? sizeOf(result.value as Value) : 0);
      tell(request, result);
    }
    this.#waiting = this.#waiting.slice(done);
  }

  #prove(wanted: RowsWanted): AnswerResult {
    const { executed, time } = this.#checkpoint!;
    const view = new RecordedView(this.#executor.view, { height: executed.height, time });
    const result = wanted.kind === 'row' ? readRow(view, wanted) : this.#queries.run(wanted, view);
    if (!result.ok && result.code === 'module_fault') return result;
    const { seen } = view;
    // Nothing was looked at: the refusal has nothing to do with rows.
    if (!result.ok && seen.length === 0) return result;
    if (seen.length > CLAIMS_MAX) {
      return failed('too_many_rows', `a proof shows ${CLAIMS_MAX} rows at most: ask for fewer`);
    }
    if (seen.some(({ key }) => !isProvable(key))) {
      return failed('no_such_key', `no row has such a key, of over ${KEY_BYTES_MAX} bytes`);
    }
    const claims = seen.map((each) => this.#claim(each));
    return { ok: true, value: { executed, claims, result } satisfies Proved };
  }

  #claim({ table, key, row }: SeenRow): Claim {
    const path = pathOf(this.#crypto, table, key);
    const { leaf, steps } = this.#executor.state.find(path);
    if (row === undefined) return { kind: 'absence', table, key, leaf, steps };
    return { kind: 'row', table, key, row: encodeValue(row), steps };
  }
}

function readRow(
  view: RecordedView,
  { module, table, key }: Extract<RowsWanted, { kind: 'row' }>,
): AnswerResult {
  const tables = view.tablesOf(module);
  if (!Object.hasOwn(tables, table)) {
    const names = Object.keys(tables).join(', ') || 'no tables';
    return failed(
      'unknown_table',
      `there is no table ${tableId(module, table)}; there are ${names}`,
    );
  }
  return { ok: true, value: tables[table]!.get(key) ?? null };
}

function isProvable(key: string): boolean {
  const length = utf8Length(key);
  return length >= 0 && length <= KEY_BYTES_MAX;
}

function failed(code: string, message: string): AnswerResult {
  return { ok: false, code, message };
}
