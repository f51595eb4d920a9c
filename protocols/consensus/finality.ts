/**
 * What is final, and what finality certifies (rules B6, E4).
 *
 * I91. Final blocks are linked by parent digests, one per height, and never replaced: a certificate
 *      for another branch stops the node, as far as it still remembers that height, and so do two
 *      prepare certificates for one place.
 * I92. A node whose own checkpoint differs from a certified one stops rather than serve it.
 */
import { RECENT_FINAL_MAX } from '../chain.ts';
import { InvariantViolation } from '../machine.ts';
import type { Block, Certificate, Executed } from '../types.ts';
import type { TreeBlock } from './block-tree.ts';
import { askForBlocks, want } from './catch-up.ts';
import { forgetDecided } from './safety.ts';
import { headOf, recordFinal, type State } from './state.ts';
import { enterTerm, watchLanes } from './terms.ts';
import { isSameExecuted } from './voting-rules.ts';

/** A checked commit certificate: its block and all that lead to it are final, whatever term this node is in. */
export function finalise(state: State, certificate: Certificate): void {
  // Also one whose blocks are not here yet, or are final already: others are in its term (T2).
  enterTerm(state, certificate.term, null);
  if (certificate.height > state.knownHeight) state.knownHeight = certificate.height;
  if (certificate.height <= state.final.height) return refuseOtherBranch(state, certificate);
  const path = state.tree.pathTo(certificate, state.final);
  if (path.kind === 'conflict') throw fork(certificate);
  if (path.kind === 'missing') {
    if (certificate.height > (state.pendingCommit?.height ?? 0)) state.pendingCommit = certificate;
    want(state, path.digest, path.height, certificate.votes);
    if (certificate.height > state.final.height + 2) askForBlocks(state);
    return;
  }
  for (const entry of path.blocks) {
    finaliseBlock(state, entry, entry.digest === certificate.block ? certificate : null);
  }
  state.finalCertificate = certificate;
  settle(state);
}

function refuseOtherBranch(state: State, certificate: Certificate): void {
  const { final, recentFinal } = state;
  const own =
    certificate.height === final.height
      ? final.digest
      : [...recentFinal].find(([, { height }]) => height === certificate.height)?.[0];
  if (own !== undefined && own !== certificate.block) throw fork(certificate);
}

export function fork({ kind, term, height, block }: Certificate): InvariantViolation {
  return new InvariantViolation(
    'conflicting_final',
    `a quorum signed a ${kind} certificate for ${block} at height ${height} of term ${term}, beside ` +
      `what this node knows as certified or final there: more than f validators are faulty; keep ` +
      `the logs of all nodes as evidence`,
  );
}

function finaliseBlock(state: State, entry: TreeBlock, certificate: Certificate | null): void {
  const { block, digest } = entry;
  recordFinal(state, block, certificate);
  if (block.cut.some((tip, lane) => tip.seq > state.final.cut[lane]!.seq)) {
    state.lastOrderedHeight = Math.max(state.lastOrderedHeight, block.height);
  }
  state.final = headOf(digest, block);
  state.finalAt = state.now;
  if (entry.receivedAt !== null) state.due.measured(state.now - entry.receivedAt);
  keepRecent(state, entry);
  certifyExecuted(state, block.executed);
  state.out.immediate.push({
    kind: 'tell',
    to: 'replication',
    message: { kind: 'finalised', block, digest },
  });
}

function keepRecent(
  state: State,
  { block, digest }: { block: Block; digest: TreeBlock['digest'] },
): void {
  state.recentFinal.set(digest, block);
  if (state.recentFinal.size <= RECENT_FINAL_MAX) return;
  const oldest = state.recentFinal.keys().next();
  if (!oldest.done) state.recentFinal.delete(oldest.value);
}

/** After the final height moved: everything below it is decided. */
function settle(state: State): void {
  const { height } = state.final;
  state.tree.pruneTo(height);
  forgetDecided(state.safety, height);
  if (state.pendingCommit !== null && state.pendingCommit.height <= height)
    state.pendingCommit = null;
  state.due.termWorked();
  state.due.progressed(state.now);
  state.due.settle('prepared');
  if ((state.safety.highest?.height ?? 0) > height) state.due.mark('prepared', state.now);
  watchLanes(state);
  state.out.immediate.push({ kind: 'tell', to: 'voting', message: { kind: 'finalTo', height } });
}

/** The commit certificate of a block certifies what its `executed` says (E4). */
function certifyExecuted(state: State, executed: Executed): void {
  const own = state.checkpoints.get(executed.height);
  if (own === undefined) {
    state.certified.set(executed.height, executed);
  } else {
    assertSame(own, executed);
  }
  for (const height of state.checkpoints.keys()) {
    if (height < executed.height) state.checkpoints.delete(height);
  }
}

/** This node executed a checkpoint; the chain may have certified it before (I92). */
export function checkpointExecuted(state: State, own: Executed): void {
  const certified = state.certified.get(own.height);
  if (certified !== undefined) assertSame(own, certified);
  for (const height of state.certified.keys()) {
    if (height <= own.height) state.certified.delete(height);
  }
  if (own.height >= state.final.executed.height) state.checkpoints.set(own.height, own);
}

function assertSame(own: Executed, certified: Executed): void {
  if (isSameExecuted(own, certified)) return;
  throw new InvariantViolation(
    'state_diverged',
    `height ${own.height}: this node computed state ${own.stateRoot} and receipts ` +
      `${own.receiptsRoot}, the cluster certified ${certified.stateRoot} and ${certified.receiptsRoot}`,
  );
}
