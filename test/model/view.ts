/**
 * What of a validator's state can make a difference to what anybody will see: its key, by which equal
 * states are merged. It names no validator, so it is the same for all that play one role.
 *
 * Left out, and why it cannot matter (a test holds random executions of single messages against it):
 * blocks in the tree, as every input that needs them brings them; certificates below the highest, which
 * move nothing; gathered votes and timeouts short of a quorum, as inputs bring enough; what only
 * says when something is late, as everything is late at any time; whom to ask for what is lacking.
 */
import { leaderOf } from '../../protocols/certificates.ts';
import type { State } from '../../protocols/consensus/state.ts';
import type { Certificate } from '../../protocols/types.ts';
import { ROOT } from './blocks.ts';
import { NODES } from './bounds.ts';
import { OPENED } from './engine.ts';
import type { Forge } from './forge.ts';
import type { Validator } from './validator.ts';

/** What a validator has said and what it stands on, by the numbers of blocks. */
export interface View {
  readonly key: string;
  /** The key but for what is final: that a block is final lets a validator do nothing more. */
  readonly active: string;
  readonly term: number;
  readonly abandoned: boolean;
  /** Of the highest certificate; ROOT: none. */
  readonly highest: number;
  /** The same, as far as anything can come of it: nothing does in the last term. */
  readonly standsOn: number;
  /** Its certificates that others may be shown: the highest, and what made final and what ended a term. */
  readonly areSigned: boolean;
  readonly prepared: readonly number[];
  readonly committed: readonly number[];
  /** `claims[term]`: what its timeout of the term claims, if it cast one. */
  readonly claims: readonly (number | undefined)[];
  readonly proposed: readonly number[];
  readonly told: readonly number[];
  /** It knows of a final block that it lacks. */
  readonly isPending: boolean;
  readonly crashes: number;
}

export function stateOf(validator: Validator): State {
  return (validator.consensus as unknown as Record<string, State>)[`${OPENED}state`]!;
}

export function viewOf(forge: Forge, validator: Validator): View {
  const state = stateOf(validator);
  const { safety } = state;
  const said = saidBy(forge, validator);
  const leads = leaderOf({ n: NODES }, safety.term) === validator.self;
  const isLast = safety.term >= forge.bounds.terms - 1;
  const told = unique(validator.told.map((digest) => idOf(forge, digest)));
  const parts = [
    safety.term,
    safety.abandoned,
    safety.preparedHeight,
    [safety.committed.term, safety.committed.height],
    isLast ? null : nameOf(safety.highest),
    leads ? [...leadership(state), validator.entered] : null,
    said,
    validator.crashes,
    validator.crashes < forge.bounds.crashes ? logOf(validator) : null,
  ];
  const highest = safety.highest === null ? ROOT : idOf(forge, safety.highest.block);
  const active = JSON.stringify(parts);
  return {
    key: `${active} ${state.final.digest} ${told.join()} ${nameOf(state.pendingCommit)}`,
    active,
    term: safety.term,
    abandoned: safety.abandoned,
    highest,
    standsOn: isLast ? ROOT : highest,
    areSigned: areSigned(forge, state),
    told,
    isPending: state.pendingCommit !== null,
    crashes: validator.crashes,
    ...said,
  };
}

function leadership({ proposableTerm, safety, lastProposed, tree }: State): readonly unknown[] {
  const { closedBy } = safety;
  const last = lastProposed?.digest ?? null;
  if (last === null) {
    return [proposableTerm === safety.term, closedBy?.term, nameOf(closedBy?.highest ?? null)];
  }
  return [proposableTerm === safety.term, last, tree.certificateOf(last)?.block];
}

/** What a crash would leave. */
function logOf({ log }: Validator): readonly unknown[] {
  return log.map(({ event, deferred }) => [event.kind, deferred]);
}

function nameOf(certificate: Certificate | null): string | null {
  return certificate === null ? null : `${certificate.term}/${certificate.block}`;
}

function areSigned(forge: Forge, { safety, finalCertificate }: State): boolean {
  const { highest, closedBy } = safety;
  return (
    [highest, finalCertificate].every((each) => each === null || forge.isCertified(each)) &&
    (closedBy === null || forge.isClosed(closedBy))
  );
}

/** Blocks beyond the bounds are all alike: nobody hears of them. */
function idOf(forge: Forge, digest: Parameters<Forge['blocks']['find']>[0]): number {
  return forge.blocks.find(digest) ?? -1;
}

const unique = (ids: readonly number[]): number[] => [...new Set(ids)].sort((a, b) => a - b);

/** What it sent, which is all that others can know of it. */
export function saidBy(forge: Forge, { sent, self }: Validator) {
  const prepared: number[] = [];
  const committed: number[] = [];
  const proposed: number[] = [];
  const claims: (number | undefined)[] = [];
  for (const message of sent) {
    if (message.kind === 'vote') {
      const { kind, block } = message.vote;
      (kind === 'prepare' ? prepared : committed).push(idOf(forge, block));
    } else if (message.kind === 'timeout') {
      const { term, highHeight, highBlock } = message.timeout;
      claims[term] = highHeight < 0 ? ROOT : idOf(forge, highBlock);
    } else if (message.kind === 'proposal' && message.block.term % NODES === self) {
      // Others only hand on what its leader sent.
      proposed.push(forge.proposed(message.block) ?? -1);
    }
  }
  return {
    prepared: unique(prepared),
    committed: unique(committed),
    proposed: unique(proposed),
    claims: Array.from(claims),
  };
}
