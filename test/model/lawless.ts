/**
 * What the Byzantine validator says although every honest one must refuse it: forged and repeated
 * signatures, certificates of other blocks and terms, claims that nothing backs. Of each kind the
 * simplest, made of what exists; it costs no states as long as it is refused.
 */
import { LAWLESS, ROOT, type Proof, type Reason, type Shape } from './blocks.ts';
import { NODES } from './bounds.ts';
import { highestOf, type Facts } from './facts.ts';
import type { Input } from './inputs.ts';

/** Blocks of different proofs get different times, so that each has a digest of its own. */
const VARIANT_OF: Readonly<Record<Proof, number>> = {
  valid: LAWLESS,
  forged: LAWLESS + 1,
  repeated: LAWLESS + 2,
  few: LAWLESS + 3,
};
const STRANGE_VARIANT = LAWLESS + 4;
const UNPROVED = ['forged', 'repeated', 'few'] as const;

type Draft = Pick<Shape, 'term' | 'parent' | 'reason'>;

export function lawlessBlocks(facts: Facts): Shape[] {
  const { forge } = facts;
  const { byzantine, terms, heights } = forge.bounds;
  if (byzantine === null) return [];
  const shapes: Shape[] = [];
  const add = (drafts: readonly Draft[], variant?: number): void => {
    for (const draft of drafts) {
      const height = forge.blocks.heightOf(draft.parent) + 1;
      if (height > heights) continue;
      const proof = draft.reason.kind === 'epoch' ? 'valid' : draft.reason.proof;
      shapes.push({ ...draft, height, variant: variant ?? VARIANT_OF[proof], signer: byzantine });
    }
  };
  for (let term = 0; term < terms; term++) {
    if (term % NODES === byzantine) add([...children(facts, term), ...firsts(facts, term)]);
    else add(strange(facts, term), STRANGE_VARIANT);
  }
  return shapes;
}

function children(facts: Facts, term: number): Draft[] {
  const { blocks } = facts.forge;
  const drafts: Draft[] = [];
  const add = (parent: number, of: number, proof: Proof): void => {
    drafts.push({ term, parent, reason: { kind: 'certificate', of, proof } });
  };
  for (const parent of facts.votedFor) {
    if (blocks.termOf(parent) === term) for (const proof of UNPROVED) add(parent, parent, proof);
    for (const of of facts.prepared) {
      const isOther = of !== parent && blocks.termOf(of) === term;
      if (isOther && blocks.heightOf(of) === blocks.heightOf(parent)) add(parent, of, 'valid');
    }
  }
  for (const of of facts.prepared) if (blocks.termOf(of) < term) add(of, of, 'valid');
  return drafts;
}

function firsts(facts: Facts, term: number): Draft[] {
  if (term === 0) return [];
  const { forge, closed } = facts;
  const drafts: Draft[] = [{ term, parent: ROOT, reason: { kind: 'epoch' } }];
  const add = (parent: number, reason: Reason): void => void drafts.push({ term, parent, reason });
  const highestIn = (groups: Facts['closed'][number] = []): Set<number> =>
    new Set(groups.map((claims) => highestOf(forge, claims)));
  for (const highest of highestIn(closed[term - 1])) {
    for (const parent of [ROOT, ...facts.votedFor]) {
      if (parent === highest) continue;
      add(parent, { kind: 'timeouts', term: term - 1, highest, proof: 'valid' });
    }
  }
  for (let other = 0; other < term - 1; other++) {
    for (const highest of highestIn(closed[other])) {
      add(highest, { kind: 'timeouts', term: other, highest, proof: 'valid' });
    }
  }
  for (const highest of [ROOT, ...facts.prepared]) {
    if (forge.blocks.termOf(highest) >= term) continue;
    for (const proof of UNPROVED)
      add(highest, { kind: 'timeouts', term: term - 1, highest, proof });
  }
  return drafts;
}

/** In a term that another validator leads. */
function strange({ forge, closed }: Facts, term: number): Draft[] {
  if (term === 0) return [{ term, parent: ROOT, reason: { kind: 'epoch' } }];
  const tops = new Set((closed[term - 1] ?? []).map((claims) => highestOf(forge, claims)));
  return [...tops].map((highest): Draft => {
    const reason: Reason = { kind: 'timeouts', term: term - 1, highest, proof: 'valid' };
    return { term, parent: highest, reason };
  });
}

/** What can come to any of the others. */
export function lawlessInputs(facts: Facts): Input[] {
  const { byzantine, terms } = facts.forge.bounds;
  if (byzantine === null) return [];
  const votes = (['prepare', 'commit'] as const).flatMap((vote) => {
    const some = vote === 'prepare' ? facts.votedFor : facts.committedTo;
    const enough = vote === 'prepare' ? facts.prepared : facts.committed;
    return [
      ...some.map((block): Input => ({ kind: 'votes', vote, block, proof: 'few' })),
      ...facts.blocks.map((block): Input => ({ kind: 'votes', vote, block, proof: 'forged' })),
      ...enough.map((block): Input => ({ kind: 'votes', vote, block, proof: 'repeated' })),
    ];
  });
  const timeouts = Array.from({ length: terms - 1 }, (_, term) => forgedTimeouts(facts, term));
  return [...votes, ...timeouts.flat()];
}

function forgedTimeouts({ forge, prepared, closed }: Facts, term: number): Input[] {
  const inputs: Input[] = [];
  for (const highest of [ROOT, ...prepared.filter((id) => forge.blocks.termOf(id) <= term)]) {
    for (const proof of UNPROVED) {
      const claims = [highest, highest, highest];
      inputs.push({ kind: 'timeoutCertificate', term, claims, carried: highest, proof });
    }
  }
  for (const claims of closed[term] ?? []) {
    for (const carried of new Set(claims)) {
      if (carried === highestOf(forge, claims)) continue;
      inputs.push({ kind: 'timeoutCertificate', term, claims, carried, proof: 'valid' });
    }
  }
  return inputs;
}

/** A bad timeout of the Byzantine validator, most with a claim that nothing backs, beside one that another made. */
export function unbackedClaims(facts: Facts, place: number): Input[] {
  const { forge } = facts;
  if (forge.bounds.byzantine === null) return [];
  return facts.closed.flatMap((_, term) => {
    const claimable = facts.votedFor.filter((id) => forge.blocks.termOf(id) <= term);
    const claimed = facts.claims.flatMap((claims, at) =>
      at === place || claims[term] === undefined ? [] : [claims[term]],
    );
    return claimed.flatMap((other): Input[] => [
      { kind: 'timeouts', term, claims: [ROOT, other], proof: 'forged' },
      ...claimable.flatMap((claim) =>
        (['few', 'repeated'] as const).map((proof): Input => ({
          kind: 'timeouts',
          term,
          claims: [claim, other],
          proof,
        })),
      ),
    ]);
  });
}
