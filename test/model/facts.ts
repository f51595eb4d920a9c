/**
 * What exists, given what the honest validators said: which certificates can be put together, which
 * blocks the Byzantine validator can make, and so what can come to whom. Whatever was sent can come at
 * any time, any number of times, or never, so what exists is a set that only grows.
 */
import { ROOT, type Shape } from './blocks.ts';
import { NODES, QUORUM } from './bounds.ts';
import type { Forge } from './forge.ts';
import type { Input } from './inputs.ts';
import { lawlessBlocks, lawlessInputs } from './lawless.ts';
import type { Claims } from './said.ts';

/** What was said, as far as it decides what exists; all lists of block numbers. */
export interface Statements {
  /** Blocks with votes of so many honest validators that the Byzantine one can complete a quorum. */
  readonly prepared: readonly number[];
  readonly committed: readonly number[];
  /** Blocks with any honest vote. */
  readonly votedFor: readonly number[];
  readonly committedTo: readonly number[];
  readonly proposed: readonly number[];
  /** By honest validator. */
  readonly claims: readonly Claims[];
}

export interface Facts extends Statements {
  readonly forge: Forge;
  /** By term: three claims each of a timeout certificate that can be put together. */
  readonly closed: readonly (readonly (readonly number[])[])[];
  /** Blocks that somebody may have sent. */
  readonly blocks: readonly number[];
}

export function factsOf(forge: Forge, said: Statements): Facts {
  const { terms, lawless } = forge.bounds;
  const closed = Array.from({ length: terms - 1 }, (_, term) =>
    distinct(chosen(claimsOf(forge, said, term, null), QUORUM)),
  );
  const partial = { ...said, forge, closed };
  const lawful = ownBlocks(partial).map((shape) => forge.number(shape));
  const known = [...new Set([...said.proposed, ...lawful])];
  const others = lawless ? lawlessBlocks({ ...partial, blocks: known }) : [];
  return { ...partial, blocks: [...known, ...others.map((shape) => forge.number(shape))] };
}

/** All ways to choose `size` of the claims, one of each validator. */
function chosen(claims: readonly (readonly number[])[], size: number): number[][] {
  if (size === 0) return [[]];
  return claims.flatMap((options, at) =>
    chosen(claims.slice(at + 1), size - 1).flatMap((rest) =>
      options.map((claim) => [claim, ...rest]),
    ),
  );
}

/**
 * What each validator can be shown to have claimed in its timeout of the term, but for one of them. The
 * Byzantine one claims nothing, or whatever it has a certificate for.
 */
function claimsOf(
  { bounds, blocks }: Forge,
  { claims, prepared }: Statements,
  term: number,
  except: number | null,
): number[][] {
  const honest = claims.map((each, place) => {
    const claim = place === except ? undefined : each[term];
    return claim === undefined ? [] : [claim];
  });
  if (bounds.byzantine === null) return honest;
  return [[ROOT, ...prepared.filter((id) => blocks.termOf(id) <= term)], ...honest];
}

/** One of each kind: who claims what makes no difference. */
function distinct(groups: readonly (readonly number[])[]): number[][] {
  const sorted = groups.map((group) => group.toSorted((a, b) => a - b));
  return [...new Map(sorted.map((group) => [group.join(), group])).values()];
}

export const highestOf = (forge: Forge, claims: readonly number[]): number =>
  claims.reduce((a, b) => (forge.rank(a) >= forge.rank(b) ? a : b));

/** All that the rules allow the Byzantine validator to propose, in each variant. */
function ownBlocks({ forge, prepared, closed }: Omit<Facts, 'blocks'>): Shape[] {
  const { byzantine, terms, heights, variants } = forge.bounds;
  if (byzantine === null) return [];
  const { blocks } = forge;
  const shapes: Shape[] = [];
  const add = (shape: Pick<Shape, 'term' | 'parent' | 'reason'>): void => {
    const height = blocks.heightOf(shape.parent) + 1;
    if (height > heights) return;
    for (let variant = 0; variant < variants; variant++) {
      shapes.push({ ...shape, height, variant, signer: byzantine });
    }
  };
  for (let term = byzantine; term < terms; term += NODES) {
    if (term === 0) add({ term, parent: ROOT, reason: { kind: 'epoch' } });
    for (const highest of new Set((closed[term - 1] ?? []).map((each) => highestOf(forge, each)))) {
      const reason = { kind: 'timeouts', term: term - 1, highest, proof: 'valid' } as const;
      add({ term, parent: highest, reason });
    }
    for (const of of prepared.filter((id) => blocks.termOf(id) === term)) {
      add({ term, parent: of, reason: { kind: 'certificate', of, proof: 'valid' } });
    }
  }
  return shapes;
}

/** What can come to any honest validator, whatever state it is in. */
export function inputsFor(facts: Facts): Input[] {
  const { forge, closed, blocks, prepared, committed } = facts;
  const inputs: Input[] = [
    { kind: 'expire' },
    { kind: 'lead' },
    ...blocks.map((block): Input => ({ kind: 'proposal', block })),
    ...prepared.map((block): Input => ({ kind: 'votes', vote: 'prepare', block, proof: 'valid' })),
    ...committed.flatMap((block): Input[] => [
      { kind: 'votes', vote: 'commit', block, proof: 'valid' },
      { kind: 'unseen', block },
    ]),
    ...closed.flatMap((groups, term) =>
      groups.map((claims): Input => {
        const carried = highestOf(forge, claims);
        return { kind: 'timeoutCertificate', term, claims, carried, proof: 'valid' };
      }),
    ),
  ];
  if (forge.bounds.lawless) inputs.push(...lawlessInputs(facts));
  return inputs;
}

/** Timeouts of others, which make a certificate with its own. */
export function timeoutsFor(facts: Facts, place: number): Input[] {
  return facts.closed.flatMap((_, term) =>
    distinct(chosen(claimsOf(facts.forge, facts, term, place), QUORUM - 1)).map(
      (claims): Input => ({ kind: 'timeouts', term, claims, proof: 'valid' }),
    ),
  );
}

/** The crashes that may come instead. */
export function failures(inputs: readonly Input[]): Input[] {
  return [
    { kind: 'crash', kept: 'all' },
    { kind: 'crash', kept: 'least' },
    ...inputs.map((input): Input => ({ kind: 'lose', input })),
  ];
}
