/**
 * The safety record as a whole, written down now and then (stream `safety`), so that recovery reads what
 * was recorded since then and not what the node ever voted for.
 *
 * I150. Recovery from the newest whole record and what follows it gives the safety record, and the blocks
 *       and certificates that this node still owes others, as recovery from all there ever was does.
 * I151. What the one before the newest does not need is pruned, but for the last `kept` facts, which are
 *       there for people: a whole record is durable before what it replaces may go (P3).
 */
import { boolean, i53, list, nullable, struct, u53, type Infer, type Schema } from '../codec.ts';
import type { LogEvent } from '../machine.ts';
import { readEvent } from '../stored.ts';
import { certificate, timeoutCertificate } from '../structures.ts';
import type { Vote } from '../types.ts';
import { packStructure } from '../wire.ts';
import { CONSENSUS_STREAM, consensusEvent, type ConsensusEvent } from './events.ts';
import type { Safety } from './safety.ts';
import type { State } from './state.ts';
import { UNDECIDED_MAX } from './voting-rules.ts';

export const SAFETY_STREAM = 'safety';

export interface RecordPace {
  /** So many facts after the last whole record the next one is written. */
  readonly every: number;
  /** So many facts before the last but one stay. */
  readonly kept: number;
}

/** About a second of full load; and a gigabyte, or more than a day of an idle cluster. */
export const RECORD_PACE: RecordPace = { every: 1024, kept: 1 << 20 };

/** Votes of both kinds for heights that are not final, in whatever terms, and blocks that begin terms. */
const OPEN_MAX = 16 * UNDECIDED_MAX;

const safetyRecord = struct({
  /** Position in stream `consensus` of the first fact that is not in it. */
  from: u53,
  epoch: u53,
  term: u53,
  abandoned: boolean,
  preparedHeight: i53,
  committed: struct({ term: i53, height: i53 }),
  highest: nullable(certificate),
  /** `timeoutCast`. */
  ownTimeout: nullable(consensusEvent),
  closedBy: nullable(timeoutCertificate),
  /** The votes for heights that are not final, with what they are for. */
  open: list(consensusEvent, OPEN_MAX),
}) satisfies Schema<unknown>;

export type SafetyRecord = Infer<typeof safetyRecord>;

export function readSafetyRecord(event: LogEvent): SafetyRecord {
  return readEvent(safetyRecord, event);
}

/** What this node had recorded of its safety, but for the votes in `open`. */
export function safetyOf(record: SafetyRecord): Safety {
  const { epoch, term, abandoned, preparedHeight, committed, highest, closedBy } = record;
  const ownTimeout = record.ownTimeout?.kind === 'timeoutCast' ? record.ownTimeout : null;
  const decided = { epoch, term, abandoned, preparedHeight, committed, highest, closedBy };
  return { ...decided, ownTimeout, undecided: [] };
}

/** Writes the whole record down if it is time to, and lets go of what is not needed any more. */
export function recordSafety(state: State): void {
  const { records, safety, streamEnd } = state;
  const { every, kept } = state.options.records ?? RECORD_PACE;
  if (streamEnd - records.from < every || safety.term < 0) return;
  const open = safety.undecided.map((vote) => recorded(state, vote));
  if (open.length > OPEN_MAX || open.includes(null)) return;
  const { undecided: _, ...rest } = safety;
  const record = { ...rest, from: streamEnd, open: open as ConsensusEvent[] };
  const seq = records.next++;
  const header = packStructure(safetyRecord, record);
  state.out.deferred.push({ stream: SAFETY_STREAM, seq, kind: 'safetyRecorded', header });
  prune(state, CONSENSUS_STREAM, records.from - kept);
  prune(state, SAFETY_STREAM, seq - 1);
  records.from = streamEnd;
}

/** The fact that a vote was, as it was recorded then; null if what it is for is not here. */
function recorded({ tree }: State, vote: Vote): ConsensusEvent | null {
  if (vote.kind === 'commit') {
    const behind = tree.certificateOf(vote.block);
    return behind === undefined ? null : { kind: 'commitVoted', vote, certificate: behind };
  }
  const entry = tree.get(vote.block);
  return entry === undefined ? null : { kind: 'prepareVoted', vote, block: entry.block };
}

function prune(state: State, stream: string, below: number): void {
  if (below > 0) state.out.effects.push({ kind: 'pruneLog', stream, below });
}
