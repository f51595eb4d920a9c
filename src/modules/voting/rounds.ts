/**
 * Rounds: opened, voted in, decided.
 *
 * V3. A round is decided once: approved when the approvals reach what is required, rejected when they no
 *     longer can, expired when block time reaches the deadline. Votes count before that only.
 * V4. At most one vote of a voter counts in a round, with the voter's weight. Who votes for the other
 *     choice too leaves evidence: both choices, and the blocks in which the signed votes stand.
 * V5. A bound transaction runs at most once, when its round is approved, as the committee and not as the
 *     round, whose id anybody may choose. Who approves it names the digest of all that is approved, so
 *     that nobody puts another transaction, electorate or deadline under an approval.
 */
import { ModuleRefusal, refuse } from '../../module.ts';
import { sizeOf } from '../../../protocols/transaction/values.ts';
import type { Commands } from './context.ts';
import { authorityOf, voterOf, type Electorate } from './electorate.ts';
import { dropEvidence, dropRounds } from './keeping.ts';
import type { Bound, Choice, Member, Round, Vote } from './rows.ts';

/** Of a member that a vote looks at, and of a vote that stands beside it in the row (I130). */
const LOOK_STEPS = 8;
const ROUND_MS = 24 * 60 * 60 * 1000;
const ROUND_MS_MAX = 365 * ROUND_MS;

export interface Opening {
  readonly round: string;
  readonly subject?: string;
  readonly deadline?: number;
  readonly bound?: Bound;
}

export function openRound(
  context: Commands,
  { id, ofValidators, committee }: Electorate,
  opening: Opening,
): { round: string; digest: string; committee: string } | ModuleRefusal {
  const { tables, time, height, hash } = context;
  const { round, subject = null, deadline = time + ROUND_MS, bound = null } = opening;
  if (tables.rounds.get(round) !== undefined) {
    return refuse('round_exists', 'there is a round of that id');
  }
  if (deadline <= time || deadline > time + ROUND_MS_MAX) {
    return refuse(
      'deadline_out_of_range',
      'the deadline is in the past, or more than a year ahead',
    );
  }
  const { required, total, members } = committee;
  const digest = hash({ round, subject, committee: id, ofValidators, deadline, bound, height });
  tables.rounds.set(round, {
    committee: id,
    ofValidators,
    subject,
    digest,
    opened: time,
    deadline,
    timer: context.schedule(deadline, 'expire', { round }),
    status: 'open',
    voters: members.length,
    required,
    total,
    approvals: 0,
    rejections: 0,
    votes: [],
    ended: null,
    hasBound: bound !== null,
    release: null,
  });
  if (bound !== null) tables.bound.set(round, bound);
  const voters = members.length;
  context.emit('opened', {
    round,
    digest,
    committee: id,
    subject,
    voters,
    required,
    total,
    deadline,
  });
  return { round, digest, committee: id };
}

export interface Ballot {
  readonly round: string;
  readonly choice: Choice;
  readonly digest?: string;
}

export interface Counted {
  counted: boolean;
  status: Round['status'];
  approvals: number;
  rejections: number;
}

export function castVote(context: Commands, ballot: Ballot): Counted | ModuleRefusal {
  const { tables } = context;
  const row: Round | undefined = tables.rounds.get(ballot.round);
  if (row === undefined) return refuse('round_not_found', 'there is no such round');
  const voter = voterOf(context);
  const { members } = tables.committees.get(row.committee)!;
  context.meter.spend((members.length + row.votes.length) * LOOK_STEPS);
  const member = members.findIndex((each) => each.voter === voter);
  if (member < 0) return refuse('not_eligible', 'the sender has no vote in this round');
  if (ballot.digest === undefined && row.hasBound && ballot.choice === 'approve') {
    return refuse(
      'digest_missing',
      'who approves a bound transaction names the digest of the round',
    );
  }
  if (ballot.digest !== undefined && ballot.digest !== row.digest) {
    return refuse('digest_mismatch', 'the round of that id is another one than the vote is for');
  }
  const earlier = row.votes.find((vote) => vote.member === member);
  if (earlier !== undefined) return voteAgain(context, ballot, row, { voter, earlier });
  if (row.status !== 'open' || context.time >= row.deadline) {
    return refuse('round_closed', 'the round is decided, or its deadline has come');
  }
  return count(context, ballot, row, { member, ...members[member]! });
}

/** Also after the decision: who votes for both is to be known. */
function voteAgain(
  context: Commands,
  { round, choice }: Ballot,
  row: Round,
  { voter, earlier }: { readonly voter: string; readonly earlier: Vote },
): Counted | ModuleRefusal {
  const { tables, height, time } = context;
  if (choice === earlier.choice || earlier.twice) {
    return refuse('already_voted', 'the sender has voted in this round, and that counts');
  }
  const evidence = {
    round,
    digest: row.digest,
    voter,
    first: { choice: earlier.choice, height: earlier.height },
    second: { choice, height },
    time,
  };
  tables.evidence.set(`${round}/${voter}/${height}`, evidence);
  const votes = row.votes.map((vote) => (vote === earlier ? { ...vote, twice: true } : vote));
  tables.rounds.set(round, { ...row, votes });
  context.emit('doubleVote', evidence);
  dropEvidence(context);
  return standing(row, false);
}

function count(
  context: Commands,
  { round, choice }: Ballot,
  before: Round,
  { member, voter, weight }: Member & { readonly member: number },
): Counted {
  const vote = { member, choice, height: context.height, twice: false };
  const row: Round = {
    ...before,
    approvals: before.approvals + (choice === 'approve' ? weight : 0),
    rejections: before.rejections + (choice === 'reject' ? weight : 0),
    votes: [...before.votes, vote],
  };
  const { approvals, rejections } = row;
  context.emit('voted', { round, voter, choice, weight, approvals, rejections });
  const status = decisionOf(row);
  if (status === 'open') context.tables.rounds.set(round, row);
  else {
    context.cancel(row.timer);
    endRound(context, round, { ...row, status });
  }
  return standing({ ...row, status }, true);
}

function decisionOf({ approvals, rejections, required, total }: Round): Round['status'] {
  if (approvals >= required) return 'approved';
  return total - rejections < required ? 'rejected' : 'open';
}

export function expireRound(context: Commands, round: string): void {
  const row: Round | undefined = context.tables.rounds.get(round);
  if (row?.status === 'open') endRound(context, round, { ...row, status: 'expired' });
}

/** `row` has the status with which it ends. */
function endRound(context: Commands, round: string, row: Round): void {
  const { tables, time } = context;
  const { digest, status, approvals, rejections } = row;
  const bound = tables.bound.get(round);
  const ended: Round = { ...row, timer: '', ended: time };
  // Before anything runs that could come back to this round.
  tables.rounds.set(round, ended);
  tables.bound.delete(round);
  context.emit('decided', { round, digest, status, approvals, rejections });
  dropRounds(context);
  if (status === 'approved' && bound !== undefined) releaseBound(context, round, ended, bound);
}

function releaseBound(context: Commands, round: string, row: Round, bound: Bound): void {
  const { module, command, args } = bound;
  // Whoever opened the round brought them; the vote that lets them go is a short one.
  context.meter.spend(sizeOf(args));
  const authority = authorityOf(row);
  const outcome = context.call(module, command, args, authority);
  const release =
    outcome instanceof ModuleRefusal ? { ok: false, code: outcome.code } : { ok: true, code: null };
  const sender = `module:voting/${authority}`;
  // What ran may have voted once more.
  const now: Round | undefined = context.tables.rounds.get(round);
  if (now !== undefined) context.tables.rounds.set(round, { ...now, release });
  context.emit('released', { round, module, command, sender, ...release });
}

function standing({ status, approvals, rejections }: Round, counted: boolean): Counted {
  return { counted, status, approvals, rejections };
}
