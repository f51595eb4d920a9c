/**
 * What the leader proposes, and when (rules B1–B3, P2).
 *
 * I39. At most one proposal per (term, height): the next only on the last one's prepare certificate,
 *      and none in a term that was entered before this process started.
 */
import { blockBytes } from '../structures.ts';
import type { Block, Executed, Justify, Millis, Tip, ValidatorIndex } from '../types.ts';
import { want } from './catch-up.ts';
import { headAt, headOf, rootOf, type Head, type State } from './state.ts';
import { isLeader, isSameExecuted, UNDECIDED_MAX } from './voting-rules.ts';

export const PROPOSE_TIMER = 'propose';
/** Pace of empty blocks while an executed height with transactions is not certified yet (B3). */
const CERTIFY_MS = 20;
/** A validator that cast no prepare vote for so many heights does not count as a holder (B3). */
const SILENT_HEIGHTS = 16;

interface Extension {
  readonly parent: Head;
  readonly justify: Justify;
}

export function tryPropose(state: State): void {
  if (!isLeader(state) || state.safety.abandoned || state.draining) return;
  if (state.proposableTerm !== state.safety.term) return;
  const extension = nextExtension(state);
  if (extension === null || isFarAhead(state, extension)) return;
  if (state.lastProposed === null) state.inherited = extension.parent;
  const cut = nextCut(state, extension.parent);
  const at = dueAt(state, extension.parent, cut);
  if (at > state.now) return wakeAt(state, at);
  propose(state, extension, cut);
}

/** What voters refuse is not proposed; a term's first block is allowed at any height (I93). */
function isFarAhead(state: State, { parent }: Extension): boolean {
  return state.lastProposed !== null && parent.height - state.final.height >= UNDECIDED_MAX;
}

function wakeAt(state: State, at: Millis): void {
  if (state.proposeTimerAt === at) return;
  state.proposeTimerAt = at;
  state.out.immediate.push({ kind: 'setTimer', timer: PROPOSE_TIMER, at });
}

/** What the next block extends, and what allows it; null while that is not known. */
function nextExtension(state: State): Extension | null {
  const last = state.lastProposed;
  if (last !== null) {
    const certificate = state.tree.certificateOf(last.digest) ?? finalOwn(state, last);
    return certificate === undefined
      ? null
      : { parent: last, justify: { kind: 'certificate', certificate } };
  }
  return firstExtension(state);
}

/** The last proposal may be final before its prepare certificate was seen here. */
function finalOwn(
  state: State,
  last: Head,
): Extract<Justify, { kind: 'certificate' }>['certificate'] | undefined {
  const { highest } = state.safety;
  return highest?.block === last.digest ? highest : undefined;
}

function firstExtension(state: State): Extension | null {
  const { safety, options } = state;
  if (safety.term === 0) return { parent: rootOf(options.cluster), justify: { kind: 'epoch' } };
  const certificate = safety.closedBy;
  if (certificate === null || certificate.term !== safety.term - 1) return null;
  const { highest } = certificate;
  const digest = highest === null ? options.cluster.id : highest.block;
  const parent = digest === options.cluster.id ? rootOf(options.cluster) : headAt(state, digest);
  if (parent === undefined) {
    if (highest !== null) want(state, digest, highest.height, highest.votes);
    return null;
  }
  return { parent, justify: { kind: 'timeouts', certificate } };
}

/**
 * The parent's cut, moved up to every tip that a quorum of voting validators holds (B3).
 *
 * No lane moves that is reported from below what this leader found certified when its term began. A
 * faulty leader before it may have had a branch of a lane certified that the reported tips do not lead
 * through (B1): nobody could vote for a block that names those. Once that branch is final, replication
 * reports from there on, and along it. In a term that works that was so long ago.
 */
function nextCut(state: State, parent: Head): readonly Tip[] {
  const { reported, inherited, options } = state;
  return parent.cut.map((before, lane) => {
    const tip = reported.tips[lane];
    if (tip === undefined || tip.seq <= before.seq) return before;
    if (reported.bases[lane]! < inherited.cut[lane]!.seq) return before;
    const holders = reported.support[lane]!.filter((validator) => !isSilent(state, validator));
    return holders.length >= options.cluster.quorum ? tip : before;
  });
}

/** Reports batches but does not vote for them: a liar about its marks, or one who is far behind. */
function isSilent(state: State, validator: ValidatorIndex): boolean {
  if (validator === state.options.self || state.lastProposed === null) return false;
  const voted = state.lastVoted[validator] ?? 0;
  return state.lastProposed.height - Math.max(voted, state.inherited.height) > SILENT_HEIGHTS;
}

/** At once for new batches or a term's first block; paced when only certification or a heartbeat waits. */
function dueAt(state: State, parent: Head, cut: readonly Tip[]): number {
  if (state.lastProposed === null) return state.now;
  if (cut.some((tip, lane) => tip.seq > parent.cut[lane]!.seq)) return state.now;
  const isUncertified = state.lastOrderedHeight > parent.executed.height;
  const pause = isUncertified ? CERTIFY_MS : state.options.timing.heartbeatMs;
  return state.lastProposedAt + pause;
}

function propose(state: State, { parent, justify }: Extension, cut: readonly Tip[]): void {
  const { cluster, signer } = state.options;
  const content = {
    epoch: 0,
    term: state.safety.term,
    height: parent.height + 1,
    parent: parent.digest,
    justify,
    cut,
    timestamp: Math.max(parent.timestamp + 1, state.now),
    executed: nextExecuted(state, parent.executed),
    endsEpoch: null,
  };
  const bytes = blockBytes(cluster.id, content);
  const digest = state.options.crypto.hash(bytes);
  const block: Block = { ...content, signature: signer.sign(bytes) };
  state.tree.add(block, digest, state.now);
  state.lastProposed = headOf(digest, block);
  state.lastProposedAt = state.now;
  state.out.immediate.push({ kind: 'broadcast', message: { kind: 'proposal', block } });
}

/** The highest checkpoint that a quorum reports and that this node computed too (B2). */
function nextExecuted(state: State, before: Executed): Executed {
  const { executed } = state.reported;
  if (executed === null || executed.height <= before.height) return before;
  const own = state.checkpoints.get(executed.height);
  return own !== undefined && isSameExecuted(own, executed) ? own : before;
}
