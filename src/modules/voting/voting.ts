/**
 * Rounds of votes, as many at once as there are: committees with weights, early decision, deadlines,
 * transactions that wait for their approval. A committee acts as `module:voting/<its name>`, and may
 * own accounts, as an address of several signatures does.
 */
import { defineModule, ModuleRefusal, refuse, Type } from '../../module.ts';
import { Deadline, type Commands } from './context.ts';
import {
  committeeOf,
  register,
  validatorsOf,
  type Electorate,
  type Electors,
} from './electorate.ts';
import { votingGenesis } from './keeping.ts';
import { votingQueries } from './queries.ts';
import { castVote, expireRound, openRound } from './rounds.ts';
import {
  Bound,
  Choice,
  Digest,
  events,
  MEMBERS_MAX,
  MemberWeight,
  Millis,
  RoundId,
  Status,
  strict,
  tables,
  Voter,
  Weight,
} from './rows.ts';

const Voters = Type.Array(
  Type.Object({ voter: Voter, weight: Type.Optional(MemberWeight) }, strict),
  { minItems: 1, maxItems: MEMBERS_MAX, description: `1 to ${MEMBERS_MAX} voters` },
);
const Required = Type.Integer({ minimum: 1, description: 'a weight from 1 on' });

function electorateOf(
  context: Commands,
  asked: {
    readonly committee: string | undefined;
    readonly voters: Electors['voters'] | undefined;
    readonly required: number | undefined;
  },
): Electorate | ModuleRefusal {
  const { committee: id, voters, required } = asked;
  if (id !== undefined) {
    if (voters !== undefined || required !== undefined) {
      return refuse('electorate_twice', 'a committee says who votes and what is required');
    }
    const committee = context.tables.committees.get(id);
    if (committee === undefined) return refuse('committee_not_found', 'no committee of that name');
    return { id, ofValidators: false, committee };
  }
  if (voters === undefined) return validatorsOf(context, required);
  if (required === undefined) return refuse('required_missing', 'say which weight is required');
  const committee = committeeOf(context, { voters, required });
  if (committee instanceof ModuleRefusal) return committee;
  return { id: register(context, committee), ofValidators: false, committee };
}

export const voting = defineModule({
  name: 'voting',
  version: 1,
  description: 'Rounds of votes, and transactions that wait for approval.',
  tables,
  events,
  timers: ({ timer }) => ({
    expire: timer(
      { description: 'The deadline of a round has come.', args: Deadline },
      (context, { round }) => expireRound(context, round),
    ),
  }),
  commands: ({ command }) => ({
    createCommittee: command(
      {
        description: 'Names a committee by its content, also where it has its name already.',
        args: Type.Object({ voters: Voters, required: Required }, strict),
        result: Type.Object({ committee: Digest }, strict),
      },
      (context, electors) => {
        const committee = committeeOf(context, electors);
        if (committee instanceof ModuleRefusal) return committee;
        return { committee: register(context, committee) };
      },
    ),

    open: command(
      {
        description:
          'Opens a round of a committee, of voters that are named, or of the validators, one vote each.',
        args: Type.Object(
          {
            round: RoundId,
            committee: Type.Optional(Digest),
            voters: Type.Optional(Voters),
            required: Type.Optional(Required),
            subject: Type.Optional(Type.String({ maxLength: 256 })),
            deadline: Type.Optional(Millis),
            bound: Type.Optional(Bound),
          },
          strict,
        ),
        result: Type.Object({ round: RoundId, digest: Digest, committee: Digest }, strict),
      },
      (context, { committee, voters, required, ...opening }) => {
        const electorate = electorateOf(context, { committee, voters, required });
        if (electorate instanceof ModuleRefusal) return electorate;
        return openRound(context, electorate, opening);
      },
    ),

    cast: command(
      {
        description: 'Votes in a round.',
        args: Type.Object(
          { round: RoundId, choice: Choice, digest: Type.Optional(Digest) },
          strict,
        ),
        result: Type.Object(
          { counted: Type.Boolean(), status: Status, approvals: Weight, rejections: Weight },
          strict,
        ),
      },
      castVote,
    ),
  }),
  queries: votingQueries,
  refusals: {
    already_voted: 'The sender has voted in the round.',
    bound_not_found: 'No transaction is bound to the round, or it has ended.',
    committee_not_found: 'There is no committee of that name.',
    deadline_out_of_range: 'The deadline is in the past, or more than a year ahead.',
    digest_mismatch: 'The round of that id is another one than the vote is for.',
    digest_missing: 'Who approves a bound transaction names the digest of the round.',
    electorate_twice: 'A committee is named, and voters or what is required too.',
    not_eligible: 'The sender has no vote in the round.',
    required_missing: 'Voters are named, but not which weight is required.',
    required_too_high: 'All voters together weigh less than is required.',
    round_closed: 'The round is decided, or its deadline has come.',
    round_exists: 'There is a round of that id.',
    round_not_found: 'There is no round of that id.',
    voter_twice: 'A voter is named twice.',
  },
  genesis: votingGenesis,
});
