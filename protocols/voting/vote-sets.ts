/**
 * Votes gathered for one (kind, term, height): counting, the certificate at quorum, and the proof
 * that a validator voted twice.
 *
 * I80. Each validator counts once per set: its first vote. A second, different one is evidence.
 * I81. A certificate is formed only of votes whose signatures were checked here (B4, B7). B6 would
 *      let commit votes count by their channel alone; but then one validator that signs them badly
 *      spoils every stored certificate, and nobody who was away can be shown what is final.
 */
import { isVoteValid, type Verifier } from '../certificates.ts';
import type { Certificate, Digest, ValidatorIndex, Vote, VoteKind } from '../types.ts';

export interface VoteSet {
  readonly kind: VoteKind;
  readonly term: number;
  readonly height: number;
  /** By voter. */
  readonly votes: (Vote | undefined)[];
  readonly checked: boolean[];
  /** The block that a certificate of this place names, once there is one. */
  certified: Digest | null;
}

export type Counted =
  | { readonly kind: 'counted' }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'conflict'; readonly earlier: Vote };

export function newVoteSet(vote: Vote, n: number): VoteSet {
  return {
    kind: vote.kind,
    term: vote.term,
    height: vote.height,
    votes: Array.from<Vote | undefined>({ length: n }),
    checked: Array.from({ length: n }, () => false),
    certified: null,
  };
}

export function isSameVote(a: Vote, b: Vote): boolean {
  return a.block === b.block && a.first === b.first;
}

export function count(set: VoteSet, vote: Vote): Counted {
  const earlier = set.votes[vote.voter];
  if (earlier === undefined) {
    set.votes[vote.voter] = vote;
    return { kind: 'counted' };
  }
  return isSameVote(earlier, vote) ? { kind: 'repeated' } : { kind: 'conflict', earlier };
}

/** Votes for the same content as `vote`. */
function alike(set: VoteSet, vote: Vote): Vote[] {
  return set.votes.filter((each): each is Vote => each !== undefined && isSameVote(each, vote));
}

export interface Formed {
  readonly certificate: Certificate | null;
  /** Voters whose signature turned out bad: their votes were taken out, the next takes the place. */
  readonly bad: readonly ValidatorIndex[];
}

/** Forms the certificate for `vote`'s content once a quorum is there (B7: nothing is checked before). */
export function form(verifier: Verifier, set: VoteSet, vote: Vote): Formed {
  const { quorum } = verifier.cluster;
  if (set.certified !== null || alike(set, vote).length < quorum)
    return { certificate: null, bad: [] };
  const bad = dropInvalid(verifier, set, vote);
  const votes = alike(set, vote);
  if (votes.length < quorum) return { certificate: null, bad };
  set.certified = vote.block;
  return { certificate: certificateOf(vote, votes), bad };
}

function dropInvalid(verifier: Verifier, set: VoteSet, vote: Vote): ValidatorIndex[] {
  const bad: ValidatorIndex[] = [];
  for (const each of alike(set, vote)) {
    if (set.checked[each.voter]) continue;
    if (isVoteValid(verifier, each)) {
      set.checked[each.voter] = true;
    } else {
      set.votes[each.voter] = undefined;
      bad.push(each.voter);
    }
  }
  return bad;
}

function certificateOf(vote: Vote, votes: readonly Vote[]): Certificate {
  const { kind, epoch, term, height, block, first } = vote;
  return {
    kind,
    epoch,
    term,
    height,
    block,
    first,
    votes: votes.map(({ voter, signature }) => ({ voter, signature })),
  };
}

export function votesOf({ votes, ...content }: Certificate): Vote[] {
  return votes.map((vote) => ({ ...content, ...vote }));
}

/** How a set is found: one per (kind, term, height). */
export function setKey(vote: Pick<Vote, 'kind' | 'term' | 'height'>): string {
  return `${vote.kind}/${vote.term}/${vote.height}`;
}
