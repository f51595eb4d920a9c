/**
 * What must hold in every state. Of one validator: it signs nothing that is evidence against it, and
 * proposes once for a place, justified (I84, I39); it votes in its term only, and for what is justified
 * (I32, I35); its certificates are signed by quorums, and the highest never falls (I3, I33). Of all: one prepare
 * certificate a place (Lemma 1), one final block a height (Theorem 1), no certificate but of votes that
 * were cast, and no term that is entered before the one before was left (I38).
 */
import { areEvidence } from './evidence.ts';
import { LAWLESS, ROOT } from './blocks.ts';
import { QUORUM } from './bounds.ts';
import type { Facts } from './facts.ts';
import type { Forge } from './forge.ts';
import type { Validator } from './validator.ts';
import type { View } from './view.ts';

export function stepFault(forge: Forge, before: View, after: View): string | null {
  const isFall = forge.rank(after.highest) < forge.rank(before.highest);
  if (isFall && after.crashes === before.crashes) return 'its highest certificate falls';
  const prepared = after.prepared.filter((id) => id > ROOT && !before.prepared.includes(id));
  const committed = after.committed.filter((id) => id > ROOT && !before.committed.includes(id));
  for (const id of [...prepared, ...committed]) {
    const term = forge.blocks.termOf(id);
    const isLate = before.abandoned && before.term === term && before.crashes === after.crashes;
    if (isLate || term > after.term || term < before.term) {
      return 'it votes in a term that it is not in, or abandoned';
    }
  }
  const isLawless = (id: number): boolean => forge.blocks.shape(id).variant >= LAWLESS;
  return prepared.some(isLawless) ? 'it votes for a block that nothing justifies' : null;
}

export function stateFault(forge: Forge, validator: Validator, view: View): string | null {
  if (!view.areSigned) return 'it holds a certificate that no quorum signed';
  if (validator.sent.some((each) => each.kind === 'proposal' && !forge.isJustified(each.block))) {
    return 'it proposes a block that nothing justifies';
  }
  if (view.proposed.some((id) => forge.blocks.termOf(id) > view.term)) {
    return 'it proposed in a term that it does not know of';
  }
  if (twice(forge, view.proposed)) return 'it proposes two blocks for one place';
  if (diverge(forge, view.told)) return 'it calls two blocks final that are on no one chain';
  return areEvidence(validator.sent, validator.self);
}

function twice({ blocks }: Forge, ids: readonly number[]): boolean {
  const places = ids
    .filter((id) => id > ROOT)
    .map((id) => `${blocks.termOf(id)}/${blocks.heightOf(id)}`);
  return new Set(places).size < places.length;
}

function diverge({ blocks }: Forge, ids: readonly number[]): boolean {
  const known = ids.filter((id) => id > ROOT);
  return known.some((a) => known.some((b) => a < b && !blocks.onOneChain(a, b)));
}

/** What can be put together of the votes that were cast. */
export function factsFault({ forge, prepared, committed }: Facts): string | null {
  if (twice(forge, prepared)) return 'two blocks of one place can be certified';
  if (diverge(forge, committed)) return 'two blocks that are on no one chain can become final';
  return null;
}

/** What a validator stands on exists. */
export function groundFault(facts: Facts, { standsOn, term }: View): string | null {
  if (term > 0 && facts.closed[term - 1]!.length === 0) {
    return `it is in a term though fewer than ${QUORUM} left the one before`;
  }
  if (standsOn <= ROOT || facts.prepared.includes(standsOn)) return null;
  return `it holds a certificate for which fewer than ${QUORUM} voted`;
}

/** So does what makes final what it calls final. */
export function toldFault(facts: Facts, told: readonly number[]): string | null {
  if (told.every((id) => id <= ROOT || isUnderCommit(facts, id))) return null;
  return `it calls final what fewer than ${QUORUM} committed`;
}

function isUnderCommit({ forge, committed }: Facts, id: number): boolean {
  return committed.some((top) => forge.blocks.chain(top).includes(id));
}
