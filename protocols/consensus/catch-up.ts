/**
 * Blocks that this node lacks, and those that others lack (rules C1, D4).
 *
 * I90. A fetched block is final here only by a commit certificate whose signatures were checked and
 *      a chain of parent digests down to this node's own final block.
 * I94. A peer has at most one read of the chain under way, and its answers stay within SERVED.
 */
import { isCertificateValid, withValidVotes } from '../certificates.ts';
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../chain.ts';
import { InvariantViolation, type LogEvent } from '../machine.ts';
import { BLOCKS_PER_ANSWER, type PeerMessage } from '../messages.ts';
import { Pace, type Rate } from '../pace.ts';
import { blockDigest } from '../structures.ts';
import type { Certificate, Digest, ValidatorIndex } from '../types.ts';
import { unpackStructure } from '../wire.ts';
import { finalise } from './finality.ts';
import { fault, type Served, type State } from './state.ts';

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
  // What was asked for before a restart, which lost what was not durable: nobody's fault.
  if (blocks[0] !== undefined && blocks[0].height > state.final.height + 1) return;
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

/** As many of the entries as a certificate with q valid votes covers (B6: checked when handed on). */
function provable(
  state: State,
  entries: readonly ChainEntry[],
): Extract<PeerMessage, { kind: 'blocks' }> | null {
  for (let last = entries.length - 1; last >= 0; last--) {
    const stored = entries[last]!.certificate;
    const certificate: Certificate | null =
      stored === null ? null : withValidVotes(state.verifier, stored);
    if (certificate === null) continue;
    const blocks = entries.slice(0, last + 1).map(({ block }) => block);
    return { kind: 'blocks', blocks, certificate };
  }
  return null;
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
