/**
 * Blocks that this node lacks, and those that others lack (rules C1, D4).
 *
 * I90. A fetched block is final here only by a commit certificate whose signatures were checked and
 *      a chain of parent digests down to this node's own final block.
 * I94. A peer has at most one read of the chain under way, and its answers stay within SERVED.
 *
 * One commit certificate may make more blocks final than fit into an answer. Then the answer's
 * certificate is for a later block; what its own blocks certify of each other waits in the tree, and
 * the same peer is asked for more.
 */
import { isBlockSigned, isCertificateValid } from '../certificates.ts';
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../chain.ts';
import { InvariantViolation, type LogEvent } from '../machine.ts';
import { BLOCKS_PER_ANSWER, type PeerMessage } from '../messages.ts';
import { Pace, type Rate } from '../pace.ts';
import { blockDigest } from '../structures.ts';
import type { Certificate, Digest, ValidatorIndex } from '../types.ts';
import { unpackStructure } from '../wire.ts';
import type { TreeBlock } from './block-tree.ts';
import { finalise, fork } from './finality.ts';
import { fault, headAt, type Served, type State } from './state.ts';
import { isJustified } from './voting-rules.ts';

export const CATCH_UP_TIMER = 'catch-up';
/** An answer that has not come by then is asked of the next peer. */
const ANSWER_MS = 300;
const ANSWER_BYTES_MAX = 512 * 1024;
/** 5 MB/s to one peer: to read and decode blocks, and to check certificates, costs this node's time. */
const SERVED: Rate = { bytesPerMs: 5_000, burstBytes: 8 * ANSWER_BYTES_MAX };

/** Asks those who voted for it for one block by digest (D4: whoever voted for a block serves it). */
export function want(
  state: State,
  digest: Digest,
  height: number,
  holders: readonly { readonly voter: ValidatorIndex }[],
): void {
  if (state.tree.wanted.has(digest)) return;
  state.tree.wanted.set(digest, height);
  askFor(state, digest, holders);
  retrySoon(state);
}

function askFor(
  state: State,
  digest: Digest,
  holders: readonly { readonly voter: ValidatorIndex }[],
): void {
  const message = { kind: 'fetchBlock', digest } as const;
  for (const { voter } of holders) {
    if (voter !== state.options.self)
      state.out.immediate.push({ kind: 'send', to: voter, message });
  }
}

function retrySoon(state: State): void {
  const at = state.now + ANSWER_MS;
  state.out.immediate.push({ kind: 'setTimer', timer: CATCH_UP_TIMER, at });
}

/** A commit certificate stands above a gap: ask one peer after the other for the final blocks. */
export function askForBlocks(state: State): void {
  if (state.now - state.catchUpAskedAt < ANSWER_MS) return retrySoon(state);
  const { n } = state.options.cluster;
  for (let step = 0; step < n; step++) {
    const peer = (state.catchUpTurn + step) % n;
    if (peer === state.options.self || !state.connected.has(peer)) continue;
    state.catchUpTurn = peer + 1;
    ask(state, peer, state.final.height + 1);
    break;
  }
  retrySoon(state);
}

function ask(state: State, peer: ValidatorIndex, fromHeight: number): void {
  state.catchUpAskedAt = state.now;
  state.out.immediate.push({
    kind: 'send',
    to: peer,
    message: { kind: 'fetchBlocks', fromHeight },
  });
}

export function retryCatchUp(state: State): void {
  const isBehind = state.pendingCommit !== null || state.knownHeight > state.final.height + 1;
  if (isBehind) askForBlocks(state);
  const { n } = state.options.cluster;
  const everyone = Array.from({ length: n }, (_, voter) => ({ voter }));
  for (const digest of state.tree.wanted.keys()) askFor(state, digest, everyone);
  if (state.tree.wanted.size > 0) retrySoon(state);
}

/** Final blocks from a peer: believed only as far as the certificate reaches (I90). */
export function blocksReceived(
  state: State,
  from: ValidatorIndex,
  message: Extract<PeerMessage, { kind: 'blocks' }>,
): void {
  const { certificate } = message;
  const { final, options } = state;
  if (certificate.height < final.height) return;
  const entries = message.blocks.map((block) => ({
    block,
    digest: blockDigest(options.crypto, options.cluster.id, block),
  }));
  if (!areUnder(entries, certificate) || !isCertificateValid(state.verifier, certificate)) {
    return refuseAnswer(state, from);
  }
  if (certificate.height === final.height) return finalise(state, certificate);
  state.knownHeight = Math.max(state.knownHeight, certificate.height);
  const news = entries.filter(({ block }) => block.height > final.height);
  const [first] = news;
  if (first === undefined) return;
  const isProven = news.at(-1)!.digest === certificate.block;
  if (headAt(state, first.block.parent) === undefined) {
    // It comes late, or was asked for before this process crashed: the next one will fit.
    if (first.block.height > final.height + 1) return;
    if (isProven) throw fork(certificate);
    return refuseAnswer(state, from);
  }
  if (!news.every(({ block }) => isBlockSigned(state.verifier, block))) {
    return refuseAnswer(state, from);
  }
  if (!isProven) return blocksBelow(state, from, news);
  addAll(state, news);
  finalise(state, certificate);
  state.catchUpAskedAt = 0;
  if (state.pendingCommit !== null) finalise(state, state.pendingCommit);
  // Whoever has no more does not answer.
  askForBlocks(state);
}

/** Blocks under a certificate further up: each counts as far as the next one's `justify` certifies it. */
function blocksBelow(state: State, from: ValidatorIndex, entries: readonly Entry[]): void {
  if (!entries.slice(1).every(({ block }) => isJustified(state, block))) {
    return refuseAnswer(state, from);
  }
  addAll(state, entries.slice(0, -1));
  if (entries.length > 1) ask(state, from, entries.at(-1)!.block.height);
}

function addAll(state: State, entries: readonly Entry[]): void {
  for (const { block, digest } of entries) state.tree.add(block, digest, state.now);
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

function refuseAnswer(state: State, from: ValidatorIndex): void {
  fault(state, from, 'bad_blocks', `from height ${state.final.height + 1}`);
  state.catchUpAskedAt = 0;
  askForBlocks(state);
}

/** Without credit the request is let go: the peer asks again, here or elsewhere. */
export function serveBlocks(state: State, to: ValidatorIndex, fromHeight: number): void {
  const served = servedOf(state, to);
  if (fromHeight < 1 || fromHeight > state.final.height) return;
  if (served.reading || !served.pace.mayGive(state.now)) return;
  served.reading = true;
  state.out.effects.push({
    kind: 'readLog',
    tag: `serve/${to}`,
    stream: CHAIN_STREAM,
    from: fromHeight - 1,
    to: fromHeight - 1 + BLOCKS_PER_ANSWER,
    bytesMax: ANSWER_BYTES_MAX,
  });
}

export function chainRead(state: State, tag: string, events: readonly LogEvent[]): void {
  const to = Number(tag.slice('serve/'.length));
  const served = servedOf(state, to);
  served.reading = false;
  served.pace.gave(events.reduce((sum, { header }) => sum + header.length, 0));
  const entries = events.map(readChainEntry);
  const answer = provable(state, entries);
  if (answer !== null) state.out.effects.push({ kind: 'send', to, message: answer });
}

function servedOf(state: State, to: ValidatorIndex): Served {
  const known = state.served.get(to);
  if (known !== undefined) return known;
  const served = { reading: false, pace: new Pace(SERVED) };
  state.served.set(to, served);
  return served;
}

/** As many of the entries as a commit certificate among them covers, else all under the newest. */
function provable(
  state: State,
  entries: readonly ChainEntry[],
): Extract<PeerMessage, { kind: 'blocks' }> | null {
  const last = entries.findLastIndex((entry) => entry.certificate !== null);
  const certificate = entries[last]?.certificate ?? state.finalCertificate;
  if (certificate === null || entries.length === 0) return null;
  const covered = last < 0 ? entries : entries.slice(0, last + 1);
  return { kind: 'blocks', blocks: covered.map(({ block }) => block), certificate };
}

export function readChainEntry(event: LogEvent): ChainEntry {
  const entry = unpackStructure(chainEntry, event.header);
  if (!entry.ok)
    throw new InvariantViolation('log_malformed', `chain ${event.seq}: ${entry.error}`);
  return entry.value;
}

/** One block that may not be final yet, from the tree or of late. */
export function serveBlock(state: State, to: ValidatorIndex, digest: Digest): void {
  const block = state.tree.get(digest)?.block ?? state.recentFinal.get(digest);
  if (block === undefined) return;
  state.out.effects.push({ kind: 'send', to, message: { kind: 'proposal', block } });
}
