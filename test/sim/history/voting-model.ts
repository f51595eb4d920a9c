/** Rounds: every vote is kept, and all of them are counted again each time. */
import type { PublicKey } from '../../../protocols/types.ts';
import { compareText, type Value } from '../../../protocols/transaction/values.ts';
import { quorumOf } from '../../../protocols/quorum.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, Call, ModuleModel } from './model.ts';

type Choice = 'approve' | 'reject';

interface Bound {
  readonly module: string;
  readonly command: string;
  readonly args: Args;
}

interface Round {
  readonly weights: ReadonlyMap<string, number>;
  readonly required: number;
  readonly deadline: number;
  readonly digest: string;
  /** As what the committee acts. */
  readonly authority: string;
  readonly bound: Bound | null;
  readonly votes: Map<string, Choice>;
  readonly twice: Set<string>;
  status: 'open' | 'approved' | 'rejected' | 'expired';
  release: { readonly ok: boolean; readonly code: string | null } | null;
}

interface Member {
  readonly voter: string;
  readonly weight?: number;
}

interface Opening {
  readonly round: string;
  readonly voters?: readonly Member[];
  readonly required?: number;
  readonly deadline: number;
  readonly bound?: Bound;
}

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

function weightOf({ weights, votes }: Round, choice: Choice): number {
  let sum = 0;
  for (const [voter, voted] of votes) if (voted === choice) sum += weights.get(voter)!;
  return sum;
}

export class VotingModel implements ModuleModel {
  readonly #rounds = new Map<string, Round>();
  /** By name: the content of each committee, and the other way round. */
  readonly #committees = new Map<string, string>();
  readonly #digests = new Set<string>();
  readonly #validators: readonly PublicKey[];
  readonly #call: Call;

  constructor(validators: readonly PublicKey[], call: Call) {
    this.#validators = validators;
    this.#call = call;
  }

  startBlock({ time }: { readonly time: number }): readonly string[] {
    const due = [...this.#rounds.values()].filter(
      ({ status, deadline }) => status === 'open' && deadline <= time,
    );
    for (const round of due) round.status = 'expired';
    return due.map(() => 'expire');
  }

  run(command: string, args: Args, asking: Asking): Value {
    if (command === 'open') return this.#open(args as unknown as Opening, asking);
    if (command === 'cast') return this.#cast(args as never, asking);
    throw new Error(`the model has no command ${command}`);
  }

  answer(query: string, { round: id }: Args): Value {
    if (query !== 'round') throw new Error(`the model has no query ${query}`);
    const round = this.#find(id as string);
    const { status, digest, deadline, release } = round;
    const tally = {
      approvals: weightOf(round, 'approve'),
      rejections: weightOf(round, 'reject'),
    };
    return { status, digest, deadline, release, ...tally };
  }

  #find(id: string): Round {
    const round = this.#rounds.get(id);
    if (round === undefined) throw new Refused('round_not_found');
    return round;
  }

  #open(opening: Opening, { time, said }: Asking): Value {
    const { round: id, voters, deadline, bound = null } = opening;
    const everybody = this.#validators.map((publicKey) => ({ voter: `key:${publicKey}` }));
    const members = (voters ?? everybody).map(({ weight = 1, voter }: Member) => ({
      voter,
      weight,
    }));
    const weights = new Map(members.map(({ voter, weight }) => [voter, weight]));
    const required = opening.required ?? quorumOf(this.#validators.length);
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
    if (required > total) throw new Refused('required_too_high');
    if (this.#rounds.has(id)) throw new Refused('round_exists');
    if (deadline <= time || deadline > time + YEAR_MS) throw new Refused('deadline_out_of_range');
    const { digest, committee } = (said ?? {}) as { digest: string; committee: string };
    const authority = voters === undefined ? `validators/${required}` : committee;
    this.#expectNames(
      digest,
      committee,
      JSON.stringify([members.toSorted((a, b) => compareText(a.voter, b.voter)), required]),
    );
    const votes = new Map<string, Choice>();
    const state = { votes, twice: new Set<string>(), status: 'open' as const, release: null };
    this.#rounds.set(id, { weights, required, deadline, digest, authority, bound, ...state });
    return { round: id, digest, committee };
  }

  /** A digest names one round, a committee's name one content. */
  #expectNames(digest: string, committee: string, content: string): void {
    if (this.#digests.has(digest)) throw new Refused('digest_used_twice');
    this.#digests.add(digest);
    const known = this.#committees.get(committee) ?? content;
    const name = this.#committees.get(content) ?? committee;
    if (known !== content || name !== committee) throw new Refused('committee_misnamed');
    this.#committees.set(committee, content).set(content, committee);
  }

  #cast(
    { round: id, choice, digest }: { round: string; choice: Choice; digest?: string },
    { time, sender }: Asking,
  ): Value {
    const round = this.#find(id);
    if (!round.weights.has(sender)) throw new Refused('not_eligible');
    if (digest === undefined && round.bound !== null && choice === 'approve') {
      throw new Refused('digest_missing');
    }
    if (digest !== undefined && digest !== round.digest) throw new Refused('digest_mismatch');
    const earlier = round.votes.get(sender);
    if (earlier !== undefined) {
      if (earlier === choice || round.twice.has(sender)) throw new Refused('already_voted');
      round.twice.add(sender);
      return this.#standing(round, false);
    }
    if (round.status !== 'open' || time >= round.deadline) throw new Refused('round_closed');
    round.votes.set(sender, choice);
    this.#decide(round);
    return this.#standing(round, true);
  }

  #decide(round: Round): void {
    const total = [...round.weights.values()].reduce((sum, weight) => sum + weight, 0);
    if (weightOf(round, 'approve') >= round.required) round.status = 'approved';
    else if (total - weightOf(round, 'reject') < round.required) round.status = 'rejected';
    if (round.status !== 'approved' || round.bound === null) return;
    const { module, command, args } = round.bound;
    const outcome = this.#call(module, command, args, `module:voting/${round.authority}`);
    round.release = outcome.ok ? { ok: true, code: null } : { ok: false, code: outcome.code };
  }

  #standing(round: Round, counted: boolean): Value {
    const approvals = weightOf(round, 'approve');
    return { counted, status: round.status, approvals, rejections: weightOf(round, 'reject') };
  }
}
