/**
 * Blocks that this node lacks, and those that others lack (rules C1, D4).
 *
 * I90. A fetched block is final here only by a commit certificate whose signatures were checked and
 *      a chain of parent digests down to this node's own final block.
 */
import { isCertificateValid } from '../certificates.ts';
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../chain.ts';
import { InvariantViolation, type LogEvent } from '../machine.ts';
import { BLOCKS_PER_ANSWER, type PeerMessage } from '../messages.ts';
import { blockDigest } from '../structures.ts';
import type { Digest, ValidatorIndex } from '../types.ts';
import { unpackStructure } from '../wire.ts';
import { finalise } from './finality.ts';
import { fault, type State } from './state.ts';

export const CATCH_UP_TIMER = 'catch-up';
/** An answer that has not come by then is asked of the next peer. */
const ANSWER_MS = 300;
const ANSWER_BYTES_MAX = 512 * 1024;

/** Asks those who voted for it for one block by digest (D4: whoever voted for a block serves it). */
export function want(
  state: State,
  digest: Digest,
  holders: readonly { readonly voter: ValidatorIndex }[],
): void {
  if (state.tree.wanted.has(digest)) return;
  state.tree.wanted.add(digest);
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
    state.catchUpAskedAt = state.now;
    const message = { kind: 'fetchBlocks', fromHeight: state.final.height + 1 } as const;
    state.out.immediate.push({ kind: 'send', to: peer, message });
    break;
  }
  retrySoon(state);
}

export function retryCatchUp(state: State): void {
  const isBehind = state.pendingCommit !== null || state.knownHeight > state.final.height + 1;
  if (isBehind) askForBlocks(state);
  const { n } = state.options.cluster;
  const everyone = Array.from({ length: n }, (_, voter) => ({ voter }));
  for (const digest of state.tree.wanted) askFor(state, digest, everyone);
  if (state.tree.wanted.size > 0) retrySoon(state);
}

/** Final blocks from a peer: believed only as far as the certificate reaches (I90). */
export function blocksReceived(
  state: State,
  from: ValidatorIndex,
  message: Extract<PeerMessage, { kind: 'blocks' }>,
): void {
  const { certificate } = message;
  if (certificate.height <= state.final.height) return;
  const blocks = message.blocks.filter(({ height }) => height > state.final.height);
  const digests = blocks.map((block) =>
    blockDigest(state.options.crypto, state.options.cluster.id, block),
  );
  const isLinked = blocks.every(
    (block, at) =>
      block.height === state.final.height + 1 + at &&
      block.parent === (at === 0 ? state.final.digest : digests[at - 1]),
  );
  const isCertified =
    certificate.kind === 'commit' &&
    certificate.block === digests.at(-1) &&
    certificate.height === blocks.at(-1)?.height &&
    isCertificateValid(state.verifier, certificate);
  if (!isLinked || !isCertified) {
    fault(state, from, 'bad_blocks', `from height ${state.final.height + 1}`);
    state.catchUpAskedAt = 0;
    return askForBlocks(state);
  }
  blocks.forEach((block, at) => state.tree.add(block, digests[at]!, state.now));
  finalise(state, certificate);
  state.catchUpAskedAt = 0;
  if (state.pendingCommit !== null) finalise(state, state.pendingCommit);
  if (state.knownHeight > state.final.height + 1) askForBlocks(state);
}

/** One read of the chain per peer at a time, so that nobody can make this node read for ever. */
export function serveBlocks(state: State, to: ValidatorIndex, fromHeight: number): void {
  if (fromHeight < 1 || fromHeight > state.final.height || state.serving.has(to)) return;
  state.serving.add(to);
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
  state.serving.delete(to);
  const entries = events.map(readChainEntry);
  const answer = provable(entries);
  if (answer !== null) state.out.effects.push({ kind: 'send', to, message: answer });
}

/** As many of the entries as a commit certificate covers. */
function provable(entries: readonly ChainEntry[]): Extract<PeerMessage, { kind: 'blocks' }> | null {
  const last = entries.findLastIndex((entry) => entry.certificate !== null);
  const certificate = entries[last]?.certificate ?? null;
  if (certificate === null) return null;
  const blocks = entries.slice(0, last + 1).map(({ block }) => block);
  return { kind: 'blocks', blocks, certificate };
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
