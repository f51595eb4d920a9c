/** The statement of a list, from the conditions that somebody gives. */
import { EXTENT } from './lasting.ts';

export type Parameters = Readonly<Record<string, unknown>>;

export interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Conditions and their values, collected one by one. */
export class Where {
  readonly #conditions: string[] = [];
  readonly values: unknown[] = [];

  /** `condition` with `?` for the value; nothing where there is none. */
  add(condition: string, value: unknown): this {
    if (value === undefined) return this;
    this.values.push(value);
    this.#conditions.push(condition.replaceAll('?', `$${this.values.length}`));
    return this;
  }

  /** Times become heights, whose order every index has. */
  addTimes({ since, until, fromHeight, toHeight }: Parameters): this {
    const at = '(SELECT height FROM althing.block WHERE created_at';
    return this.add(`height >= ${at} >= ? ORDER BY created_at, height LIMIT 1)`, dated(since))
      .add(`height <= ${at} <= ? ORDER BY created_at DESC, height DESC LIMIT 1)`, dated(until))
      .add('height >= ?', fromHeight)
      .add('height <= ?', toHeight);
  }

  select(from: string, order: string, limit: unknown): Sql {
    const conditions = this.#conditions.map((each) => `(${each})`).join(' AND ');
    const where = conditions === '' ? '' : ` WHERE ${conditions}`;
    const text = `SELECT *, ${EXTENT} AS extent FROM althing.${from}${where} ORDER BY ${order} LIMIT ${Number(limit)}`;
    return { text, values: this.values };
  }
}

/** The 30th of February is the 2nd of March: PostgreSQL would make an error of it. */
const dated = (text: unknown): unknown => (typeof text === 'string' ? new Date(text) : undefined);
