/**
 * What an answer in a file says beside its proof. A proof holds whatever stands next to it: so the height is
 * compared with the certified one, and what the answer says of a row or of receipts with what is proved of
 * the same. The result of a query is made of rows by the code of its module, and names none: it is not
 * checked. What is said may be of any size and depth: it is compared as deep as what is proved goes, and
 * told in excerpts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Fact, Verified } from '../../protocols/proofs/verify.ts';
import { plain } from '../edge/representation.ts';
import { excerpt } from './output.ts';

/** Members of an answer; of a proof alone there are none. */
export type Said = Readonly<Record<string, unknown>>;

export type Comparison =
  | { readonly kind: 'proved' | 'none' | 'unchecked' }
  | { readonly kind: 'other'; readonly message: string };

export type Proved = Extract<Verified, { readonly ok: true }>;

export function compared(said: Said, { certified: { executed }, facts }: Proved): Comparison {
  if (Object.hasOwn(said, 'height') && said['height'] !== executed.height) {
    return other(`height ${excerpt(said['height'])}`, `height ${executed.height}`);
  }
  if (!Object.hasOwn(said, 'result')) return { kind: 'none' };
  const name = nameOf(said, facts);
  if (name === null) return { kind: 'unchecked' };
  const found = facts.flatMap(entriesOf).find((each) => isDeepStrictEqual(each.name, name));
  if (found === undefined) return other(`something of ${excerpt(name)}`, 'nothing of it');
  const { result } = said;
  if (isDeepStrictEqual(result, plain(found.value))) return { kind: 'proved' };
  return other(excerpt(result), excerpt(found.value));
}

/** Of a row its table and key, of receipts their id; null where the answer does not say of what it is. */
export function nameOf(
  { table, key, result }: Said,
  facts: readonly Fact[],
): readonly unknown[] | null {
  if (table !== undefined || key !== undefined) return [table, key];
  // No query is answered from receipts.
  if (facts.every(({ kind }) => kind !== 'receipts')) return null;
  return [(Object(result) as { readonly id?: unknown }).id];
}

interface Entry {
  readonly name: readonly unknown[];
  readonly value: unknown;
}

/** What a fact proves, by name: of a submission as a whole, and of each of its transactions. */
function entriesOf(fact: Fact): readonly Entry[] {
  if (fact.kind !== 'receipts') {
    const value = fact.kind === 'row' ? fact.row : null;
    return [{ name: [fact.table, fact.key], value }];
  }
  const { submission, receipts } = fact;
  const { id, height } = submission;
  const all = [{ id, height, receipts }, ...receipts];
  return all.map((value) => ({ name: [value.id], value }));
}

function other(said: string, proved: string): Comparison {
  return { kind: 'other', message: `the file says ${said}, proved is ${proved}` };
}
