/**
 * Blocks that this node lacks (rules C1, D4): final ones from one peer after the other, and single ones
 * by digest.
 *
 * I90.  A fetched block is final here only by a commit certificate whose signatures were checked and
 *       a chain of parent digests down to this node's own final block.
 * I100. While this node is behind, the turn to be asked passes on every TURN_MS, whatever anyone
 *       sends. An answer counts once for each request, and only where it begins with the height that
 *       was asked for; within its turn a peer is asked on, each time for blocks further up.
 *
 * One commit certificate may make more blocks final than fit into an answer. Then the answer's
 * certificate is for a later block; what its own blocks certify of each other waits in the tree, and
 * the same peer is asked for more. What it gave is no starting point for others: it may have chosen
 * another branch than the one that became final.
 */
import { isBlockSigned, isCertificateValid } from '../certificates.ts';
import type { PeerMessage } from '../messages.ts';
import { blockDigest } from '../structures.ts';
import type { Certificate, Digest, ValidatorIndex } from '../types.ts';
import type { TreeBlock } from './block-tree.ts';
import { finalise, fork } from './finality.ts';
import { fault, headAt, type State } from './state.ts';
import { isJustified } from './voting-rules.ts';

export const CATCH_UP_TIMER = 'catch-up';
/** How long one peer is asked alone. An answer that comes later counts too. */
const TURN_MS = 300;
/** Most blocks that are asked for again by digest in one turn. */
const WANTED_PER_TURN = 32;

type Holders = readonly { readonly voter: ValidatorIndex }[];

/** Asks those who voted for it for one block by digest (D4: whoever voted for a block serves it). */
export function want(state: State, digest: Digest, height: number, holders: Holders): void {
  if (state.tree.wanted.has(digest)) return;
  state.tree.wanted.set(digest, height);
  askFor(state, digest, holders);
  retrySoon(state);
}

function askFor(state: State, digest: Digest, holders: Holders): void {
  const message = { kind: 'fetchBlock', digest } as const;
  for (const { voter } of holders) {
    if (voter !== state.options.self)
      state.out.immediate.push({ kind: 'send', to: voter, message });
  }
}

/** Unless the timer is set already: nothing that a peer sends may put it off (I100). */
function retrySoon(state: State): void {
  const { catchUp, now } = state;
  if (catchUp.timerAt !== null) return;
  catchUp.timerAt = catchUp.turnEndsAt > now ? catchUp.turnEndsAt : now + TURN_MS;
  state.out.immediate.push({ kind: 'setTimer', timer: CATCH_UP_TIMER, at: catchUp.timerAt });
}

/** A commit certificate stands above a gap: ask one peer after the other for the final blocks. */
export function askForBlocks(state: State): void {
  if (state.now >= state.catchUp.turnEndsAt) nextTurn(state);
  retrySoon(state);
}

function nextTurn(state: State): void {
  const { catchUp, connected } = state;
  const { n } = state.options.cluster;
  for (let step = 1; step <= n; step++) {
    const peer = (catchUp.peer + step) % n;
    if (peer === state.options.self || !connected.has(peer)) continue;
    catchUp.peer = peer;
    catchUp.turnEndsAt = state.now + TURN_MS;
    return ask(state, peer);
  }
}

function ask(state: State, peer: ValidatorIndex): void {
  const fromHeight = nextHeight(state, peer);
  state.catchUp.awaited.set(peer, fromHeight);
  const message = { kind: 'fetchBlocks', fromHeight } as const;
  state.out.immediate.push({ kind: 'send', to: peer, message });
}

/** Above what this peer gave already, or what is final meanwhile. */
function nextHeight({ catchUp, final }: State, peer: ValidatorIndex): number {
  return Math.max(catchUp.awaited.get(peer) ?? 0, final.height + 1);
}

export function retryCatchUp(state: State): void {
  state.catchUp.timerAt = null;
  const isBehind = state.pendingCommit !== null || state.knownHeight > state.final.height + 1;
  if (isBehind) askForBlocks(state);
  const { wanted } = state.tree;
  if (wanted.size === 0) return;
  const { n } = state.options.cluster;
  const everyone = Array.from({ length: n }, (_, voter) => ({ voter }));
  for (const [digest, height] of [...wanted].slice(0, WANTED_PER_TURN)) {
    askFor(state, digest, everyone);
    // To the end: what nobody has must not keep the others from being asked for.
    wanted.delete(digest);
    wanted.set(digest, height);
  }
  retrySoon(state);
}

/** Final blocks from a peer: believed only as far as the certificate reaches (I90). */
export function blocksReceived(
  state: State,
  from: ValidatorIndex,
  { blocks, certificate }: Extract<PeerMessage, { kind: 'blocks' }>,
): void {
  const { catchUp, final, options } = state;
  const [lowest] = blocks;
  // Not asked for, or before this process crashed, or answered already.
  if (lowest === undefined || catchUp.awaited.get(from) !== lowest.height) return;
  catchUp.awaited.delete(from);
  const entries = blocks.map((block) => ({
    block,
    digest: blockDigest(options.crypto, options.cluster.id, block),
  }));
  if (!areUnder(entries, certificate) || !isCertificateValid(state.verifier, certificate)) {
    return refuseAnswer(state, from);
  }
  const news = entries.filter(({ block }) => block.height > final.height);
  const isProven = entries.at(-1)!.digest === certificate.block;
  if (!isLinked(state, news)) {
    if (isProven && news[0]!.block.height === final.height + 1) throw fork(certificate);
    return refuseAnswer(state, from);
  }
  if (!areSound(state, news, isProven)) return refuseAnswer(state, from);
  for (const { block, digest } of isProven ? news : news.slice(0, -1)) {
    state.tree.add(block, digest, state.now);
  }
  // The last one is not certified yet. Alone it is no progress.
  if (!isProven && entries.length > 1) catchUp.awaited.set(from, entries.at(-1)!.block.height);
  finalise(state, certificate);
  if (state.pendingCommit !== null) finalise(state, state.pendingCommit);
  // Whoever has no more does not answer.
  if (catchUp.peer === from && nextHeight(state, from) > lowest.height) ask(state, from);
}

type Entry = Pick<TreeBlock, 'block' | 'digest'>;

/** A chain whose last block is the certificate's, or may lead to it. */
function areUnder(entries: readonly Entry[], { kind, block, height }: Certificate): boolean {
  const last = entries.at(-1);
  if (kind !== 'commit' || last === undefined || last.block.height > height) return false;
  if ((last.digest === block) !== (last.block.height === height)) return false;
  return entries.every(({ block: each }, at) => {
    const before = entries[at - 1];
    if (before === undefined) return true;
    return each.height === before.block.height + 1 && each.parent === before.digest;
  });
}

function isLinked(state: State, [first]: readonly Entry[]): boolean {
  return first === undefined || headAt(state, first.block.parent) !== undefined;
}

/** Below a certificate further up each block counts as far as the next one's `justify` certifies it. */
function areSound(state: State, entries: readonly Entry[], isProven: boolean): boolean {
  if (!entries.every(({ block }) => isBlockSigned(state.verifier, block))) return false;
  return isProven || entries.slice(1).every(({ block }) => isJustified(state, block));
}

/** The others are asked in their turn, not now: a lie must not make this node work. */
function refuseAnswer(state: State, from: ValidatorIndex): void {
  fault(state, from, 'bad_blocks', `from height ${state.final.height + 1}`);
}
