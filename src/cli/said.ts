/**
 * What an answer in a file says beside its proof. A proof holds whatever stands next to it: so where the
 * answer is of one row, or of receipts, what it says is compared with what is proved. The result of a query
 * is made of rows by the code of its module, and so only its rows are proved.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Fact } from '../../protocols/proofs/verify.ts';
import { plain } from '../edge/representation.ts';
import { jsonText } from './output.ts';

/** Members of an answer; of a proof alone there are none. */
export type Said = Readonly<Record<string, unknown>>;

export type Comparison =
  | { readonly kind: 'proved' | 'none' | 'unchecked' }
  | { readonly kind: 'other'; readonly message: string };

export function compared(said: Said, facts: readonly Fact[]): Comparison {
  if (!Object.hasOwn(said, 'result')) return { kind: 'none' };
  const [fact, ...others] = facts;
  if (fact === undefined || others.length > 0) return { kind: 'unchecked' };
  if (fact.kind === 'receipts') return comparison(said['result'], receiptsLike(said, fact));
  // A node names the row in the answer that is nothing but a row.
  const { table, key } = said;
  if (table === undefined && key === undefined) return { kind: 'unchecked' };
  const named = comparison([table, key], [fact.table, fact.key]);
  if (named.kind === 'other') return named;
  return comparison(said['result'], fact.kind === 'row' ? fact.row : null);
}

/** Those of the submission, or that of one transaction, as the answer is of. */
function receiptsLike(
  { result }: Said,
  { submission: { id, height }, receipts }: Extract<Fact, { kind: 'receipts' }>,
): unknown {
  const named = (Object(result) as { readonly id?: unknown }).id;
  return receipts.find((each) => each.id === named) ?? { id, height, receipts };
}

function comparison(said: unknown, proved: unknown): Comparison {
  if (isDeepStrictEqual(said, plain(proved))) return { kind: 'proved' };
  const message = `the file says ${jsonText(said)}, proved is ${jsonText(proved)}`;
  return { kind: 'other', message };
}
