/** What validators said, as sets of block numbers: what exists is computed from these, very often. */
import type { Statements } from './facts.ts';
import { ROOT } from './blocks.ts';
import type { View } from './view.ts';

/** By term: what the timeout of it claims, if there is one. */
export type Claims = readonly (number | undefined)[];

export interface Said {
  /** Among all that say the same. */
  readonly id: number;
  readonly prepared: bigint;
  readonly committed: bigint;
  readonly proposed: bigint;
  readonly claims: Claims;
}

export class Sayings {
  readonly #all = new Map<string, Said>();

  of({
    prepared,
    committed,
    proposed,
    claims,
  }: Pick<View, 'prepared' | 'committed' | 'proposed' | 'claims'>): Said {
    const name = JSON.stringify([prepared, committed, proposed, claims]);
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const said = {
      id: this.#all.size,
      prepared: setOf(prepared),
      committed: setOf(committed),
      proposed: setOf(proposed),
      claims,
    };
    this.#all.set(name, said);
    return said;
  }
}

/** Blocks beyond the bounds have no number. */
function setOf(ids: readonly number[]): bigint {
  return ids.filter((id) => id > ROOT).reduce((set, id) => set | (1n << BigInt(id)), 0n);
}

function listOf(set: bigint): number[] {
  const ids: number[] = [];
  for (let id = 0, rest = set; rest > 0n; rest >>= 1n, id++) if (rest & 1n) ids.push(id);
  return ids;
}

/** What is in at least `count` of the sets. */
function inAtLeast(count: number, sets: readonly bigint[]): bigint {
  const reached = Array.from({ length: count + 1 }, () => 0n);
  reached[0] = -1n;
  for (const set of sets) {
    for (let at = count; at > 0; at--) reached[at]! |= reached[at - 1]! & set;
  }
  return reached[count]!;
}

/** Names what `statementsOf` gives, but in no time. */
export function nameOf(said: readonly Said[], count: number, lawless: boolean): string {
  const prepared = said.map((each) => each.prepared);
  const committed = said.map((each) => each.committed);
  const proposed = inAtLeast(
    1,
    said.map((each) => each.proposed),
  );
  const sets = [inAtLeast(count, prepared), inAtLeast(count, committed), proposed];
  if (lawless) sets.push(inAtLeast(1, prepared), inAtLeast(1, committed));
  return `${sets.join()} ${said.map(({ claims }) => claims.join('.')).join()}`;
}

/** @param count honest votes that the Byzantine validator can make a quorum of */
export function statementsOf(said: readonly Said[], count: number): Statements {
  const prepared = said.map((each) => each.prepared);
  const committed = said.map((each) => each.committed);
  return {
    prepared: listOf(inAtLeast(count, prepared)),
    committed: listOf(inAtLeast(count, committed)),
    votedFor: listOf(inAtLeast(1, prepared)),
    committedTo: listOf(inAtLeast(1, committed)),
    proposed: listOf(
      inAtLeast(
        1,
        said.map((each) => each.proposed),
      ),
    ),
    claims: said.map(({ claims }) => claims),
  };
}

/** What all of them said, by roles and without what is beyond the bounds. */
export function togetherName(
  said: readonly Pick<View, 'prepared' | 'committed' | 'proposed' | 'claims'>[],
  roles: readonly number[],
): string {
  const within = (ids: readonly number[]): string => ids.filter((id) => id > ROOT).join('.');
  return said
    .map(({ prepared, committed, proposed, claims }, place) =>
      [roles[place], within(prepared), within(committed), within(proposed), claims.join('.')].join(
        '/',
      ),
    )
    .sort()
    .join(' ');
}
