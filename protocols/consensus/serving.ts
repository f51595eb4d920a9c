/**
 * Blocks that others lack: final ones from the log, and single ones that may not be final yet (C1, D4).
 *
 * I94. A peer has at most one read of the chain under way, and what it is given stays within SERVED.
 */
import { CHAIN_STREAM, readChainEntry, type ChainEntry } from '../chain.ts';
import type { LogEvent } from '../machine.ts';
import { BLOCKS_PER_ANSWER, type PeerMessage } from '../messages.ts';
import { Pace, type Rate } from '../pace.ts';
import * as structures from '../structures.ts';
import type { Digest, ValidatorIndex } from '../types.ts';
import { packStructure } from '../wire.ts';
import type { Served, State } from './state.ts';

const ANSWER_BYTES_MAX = 512 * 1024;
/** 5 MB/s to one peer: to read and decode blocks, and to check certificates, costs this node's time. */
const SERVED: Rate = { bytesPerMs: 5_000, burstBytes: 8 * ANSWER_BYTES_MAX };

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

/** One block that may not be final yet, from the tree or of late; without credit it is let go too. */
export function serveBlock(state: State, to: ValidatorIndex, digest: Digest): void {
  const block = state.tree.get(digest)?.block ?? state.recentFinal.get(digest);
  const { pace } = servedOf(state, to);
  if (block === undefined || !pace.mayGive(state.now)) return;
  pace.gave(packStructure(structures.block, block).length);
  state.out.effects.push({ kind: 'send', to, message: { kind: 'proposal', block } });
}
