/**
 * When this validator votes (rules B4–B6).
 *
 * I34. A commit vote is cast only on a checked prepare certificate of the current, not abandoned
 *      term, and is logged with it.
 * I35. A prepare vote names a block that extends its term's chain by certificate, or the highest
 *      certificate of the timeout certificate that began the term, or the root of the epoch.
 * I36. It is cast only when every batch up to the block's cut is durable here, and the block's cut,
 *      time and `executed` are what this node would accept.
 * I93. It is cast at most UNDECIDED_MAX heights above the final block, except for the first block of
 *      a term: so no leader can make a long chain that does not become final, and however long the
 *      chain is, the next leader can add the block whose commit makes all of it final.
 */
import { isCertificateValid, isTimeoutCertificateValid, leaderOf } from '../certificates.ts';
import { voteBytes } from '../structures.ts';
import type { Block, Certificate, Digest, Executed, Vote, VoteKind } from '../types.ts';
import { ZERO_DIGEST } from '../types.ts';
import type { TreeBlock } from './block-tree.ts';
import { want } from './catch-up.ts';
import { fork } from './finality.ts';
import { mayCommit, mayPrepare, raise } from './safety.ts';
import { headAt, record, rootOf, type Head, type State } from './state.ts';
import { enterTerm } from './terms.ts';

/** How far above the final block a block may stand that is not the first of its term. */
export const UNDECIDED_MAX = 64;

/** Whether the block's `justify` allows its place in its term; checks every signature in it. */
export function isJustified(state: State, block: Block): boolean {
  const { justify } = block;
  switch (justify.kind) {
    case 'certificate':
      return isParentCertified(state, block, justify.certificate);
    case 'timeouts': {
      const { certificate } = justify;
      if (certificate.epoch !== block.epoch || certificate.term !== block.term - 1) return false;
      const root = rootOf(state.options.cluster);
      const { highest } = certificate;
      const parent = highest === null ? root.digest : highest.block;
      const height = highest === null ? root.height : highest.height;
      if (block.parent !== parent || block.height !== height + 1) return false;
      return isTimeoutCertificateValid(state.verifier, certificate, known(state, parent));
    }
    case 'epoch':
      return block.term === 0 && block.height === 1 && block.parent === state.options.cluster.id;
  }
}

function isParentCertified(state: State, block: Block, certificate: Certificate): boolean {
  return (
    certificate.kind === 'prepare' &&
    certificate.epoch === block.epoch &&
    certificate.term === block.term &&
    certificate.height === block.height - 1 &&
    certificate.block === block.parent &&
    isCertificateValid(state.verifier, certificate, known(state, block.parent))
  );
}

function known(state: State, digest: Digest): Certificate | undefined {
  return state.tree.certificateOf(digest);
}

/** The first block of a term begins it; every other one follows a certificate of the same term. */
export function isFirst(block: Block): boolean {
  return block.justify.kind !== 'certificate';
}

/** Votes for whatever may be voted for now, lowest block first. */
export function tryPrepare(state: State): void {
  const { safety } = state;
  if (safety.abandoned) return;
  for (const entry of state.tree.ofTerm(safety.term)) {
    const { block, digest } = entry;
    if (!mayPrepare(safety, block.term, block.height, isFirst(block))) continue;
    const parent = headAt(state, block.parent);
    if (parent === undefined || !isAcceptable(state, block, parent)) continue;
    if (!isFirst(block) && block.height > state.final.height + UNDECIDED_MAX) continue;
    if (!isHeld(state, entry, parent)) continue;
    const vote = signVote(state, 'prepare', block, digest, isFirst(block));
    record(state, { kind: 'prepareVoted', vote, block });
    cast(state, vote);
  }
}

/** Cut, time and `executed` of a block whose place is justified (B1, B2, B4). */
export function isAcceptable(state: State, block: Block, parent: Head): boolean {
  return (
    block.height === parent.height + 1 &&
    movesForward(block, parent) &&
    isTimely(state, block, parent) &&
    isExecutedAccepted(state, block.executed, parent.executed) &&
    block.endsEpoch === null
  );
}

function movesForward(block: Block, parent: Head): boolean {
  return (
    block.cut.length === parent.cut.length &&
    block.cut.every((tip, lane) => {
      const before = parent.cut[lane]!;
      return tip.seq > before.seq || (tip.seq === before.seq && tip.digest === before.digest);
    })
  );
}

function isTimely(state: State, block: Block, parent: Head): boolean {
  const drift = state.options.cluster.genesis.limits.clockDriftMsMax;
  return block.timestamp > parent.timestamp && Math.abs(block.timestamp - state.now) <= drift;
}

/** Never back, and nothing that this node did not compute itself: behind means wait (B2). */
function isExecutedAccepted(state: State, executed: Executed, before: Executed): boolean {
  if (isSameExecuted(executed, before)) return true;
  if (executed.height <= before.height || executed.pendingSet !== ZERO_DIGEST) return false;
  const own = state.checkpoints.get(executed.height);
  return own !== undefined && isSameExecuted(own, executed);
}

export function isSameExecuted(a: Executed, b: Executed): boolean {
  return (
    a.height === b.height &&
    a.stateRoot === b.stateRoot &&
    a.receiptsRoot === b.receiptsRoot &&
    a.pendingSet === b.pendingSet
  );
}

/** Asks replication once per block; the answer is `cutHeld`. */
function isHeld(state: State, entry: TreeBlock, parent: Head): boolean {
  if (entry.batches === 'unknown') {
    entry.batches = 'asked';
    const { term, height, cut } = entry.block;
    const asked = { block: entry.digest, term, height, cut, parentCut: parent.cut };
    state.out.immediate.push({
      kind: 'tell',
      to: 'replication',
      message: { kind: 'holdCut', ...asked },
    });
  }
  return entry.batches === 'held';
}

/** A checked prepare certificate, from voting or inside a block or timeout (B5, B6, T2). */
export function learnCertificate(state: State, certificate: Certificate): void {
  raise(state.safety, certificate);
  if (certificate.term > state.safety.term) enterTerm(state, certificate.term, null);
  if (certificate.height <= state.final.height) return;
  if (state.tree.hasRivalOf(certificate)) throw fork(certificate);
  state.tree.certify(certificate);
  state.due.mark('prepared', state.now);
  if (headAt(state, certificate.block) === undefined) {
    want(state, certificate.block, certificate.height, certificate.votes);
  }
  if (!mayCommit(state.safety, certificate)) return;
  const { epoch, term, height, block, first } = certificate;
  const vote = signVote(state, 'commit', { epoch, term, height }, block, first);
  record(state, { kind: 'commitVoted', vote, certificate });
  cast(state, vote);
}

function signVote(
  state: State,
  kind: VoteKind,
  place: Pick<Vote, 'epoch' | 'term' | 'height'>,
  block: Digest,
  first: boolean,
): Vote {
  const { cluster, self, signer } = state.options;
  const { epoch, term, height } = place;
  const content = { kind, epoch, term, height, block, first };
  return { ...content, voter: self, signature: signer.sign(voteBytes(cluster.id, content)) };
}

/** After the vote is durable: to all, and to our own count. */
function cast(state: State, vote: Vote): void {
  state.out.effects.push(
    { kind: 'broadcast', message: { kind: 'vote', vote } },
    { kind: 'tell', to: 'voting', message: { kind: 'ownVote', vote } },
  );
}

export const isLeader = (state: State): boolean =>
  leaderOf(state.options.cluster, state.safety.term) === state.options.self;
