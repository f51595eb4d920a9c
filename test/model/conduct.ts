/**
 * What must hold in every state. Of one validator: it signs nothing that is evidence against it, and
 * proposes once for a place (I84, I39); its highest certificate is signed by a quorum, and never falls (I3, I33).
 * Of all: one prepare certificate a place (Lemma 1), one final block a height (Theorem 1), and no
 * certificate but of votes that were cast.
 */
import { areEvidence } from './evidence.ts';
import { ROOT } from './blocks.ts';
import { QUORUM } from './bounds.ts';
import type { Facts } from './facts.ts';
import type { Forge } from './forge.ts';
import type { Input } from './inputs.ts';
import type { Validator } from './validator.ts';
import type { View } from './view.ts';

export function stepFault(
  forge: Forge,
  input: Input,
  before: View,
  after: View,
): string | null {
  const isFall = forge.rank(after.highest) < forge.rank(before.highest);
  if (isFall && after.crashes === before.crashes) return 'its highest certificate falls';
  const isUnproved = 'proof' in input && input.proof !== 'valid';
  if (isUnproved && !before.isPending && after.told.length > before.told.length) {
    return `it calls final what fewer than ${QUORUM} committed`;
  }
  return null;
}

export function stateFault(forge: Forge, validator: Validator, view: View): string | null {
  if (!view.isHighestSigned) return 'its highest certificate is not signed by a quorum';
  if (twice(forge, view.proposed)) return 'it proposes two blocks for one place';
  if (diverge(forge, view.told)) return 'it calls two blocks final that are on no one chain';
  return areEvidence(validator.sent, validator.self);
}

function twice({ blocks }: Forge, ids: readonly number[]): boolean {
  const places = ids.filter((id) => id > ROOT).map((id) => `${blocks.termOf(id)}/${blocks.heightOf(id)}`);
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
export function groundFault(facts: Facts, { standsOn, told }: View): string | null {
  if (standsOn > ROOT && !facts.prepared.includes(standsOn)) {
    return `it holds a certificate for which fewer than ${QUORUM} voted`;
  }
  if (told.some((id) => id > ROOT && !isUnderCommit(facts, id))) {
    return `it calls final what fewer than ${QUORUM} committed`;
  }
  return null;
}

function isUnderCommit({ forge, committed }: Facts, id: number): boolean {
  return committed.some((top) => forge.blocks.chain(top).includes(id));
}
