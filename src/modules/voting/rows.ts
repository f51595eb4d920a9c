/** What voting stores and says: committees, rounds, evidence, and the forms of names in them. */
import { AnyValue, event, table, Type, type Static } from '../../module.ts';

export const strict = { additionalProperties: false };

export const MEMBERS_MAX = 128;
const WEIGHT_MAX = 1_000_000;

export const Voter = Type.String({
  pattern: '^(key:[0-9a-f]{64}|module:[^\\u0000-\\u001f]{1,256})$',
  description:
    '`key:` and 64 digits of lower-case hex, or `module:` and a name of 1 to 256 characters',
});
export const RoundId = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes, colons or underscores',
});
export const Digest = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: '64 digits of lower-case hex',
});
export const Millis = Type.Integer({ minimum: 0, description: 'milliseconds since 1970' });
export const Weight = Type.Integer({ minimum: 0 });
export const Choice = Type.Union([Type.Literal('approve'), Type.Literal('reject')], {
  description: '`approve` or `reject`',
});
export type Choice = Static<typeof Choice>;
export const Status = Type.Union(
  [
    Type.Literal('open'),
    Type.Literal('approved'),
    Type.Literal('rejected'),
    Type.Literal('expired'),
  ],
  { description: '`open`, `approved`, `rejected` or `expired`' },
);

export const MemberWeight = Type.Integer({ minimum: 1, maximum: WEIGHT_MAX });
const Member = Type.Object({ voter: Voter, weight: MemberWeight }, strict);
export type Member = Static<typeof Member>;
/** Members in order of their names. */
export const Committee = Type.Object(
  { members: Type.Array(Member), required: Weight, total: Weight },
  strict,
);
export type Committee = Static<typeof Committee>;

/** A transaction that waits for its approval. */
export const Bound = Type.Object(
  {
    module: Type.String({ minLength: 1, maxLength: 32 }),
    command: Type.String({ minLength: 1, maxLength: 48 }),
    args: AnyValue,
  },
  strict,
);
export type Bound = Static<typeof Bound>;

/** What became of the bound transaction: `code` is that of its refusal. */
export const Release = Type.Object(
  { ok: Type.Boolean(), code: Type.Union([Type.String(), Type.Null()]) },
  strict,
);

const Vote = Type.Object(
  {
    /** Whose it is, as a place in the committee. */
    member: Type.Integer({ minimum: 0 }),
    choice: Choice,
    /** Of the block in which the vote stands. */
    height: Type.Integer(),
    /** Whether the voter voted for the other choice too. */
    twice: Type.Boolean(),
  },
  strict,
);
export type Vote = Static<typeof Vote>;

export const Round = Type.Object(
  {
    committee: Digest,
    /** Whether the committee stands for the validators, whoever they are. */
    ofValidators: Type.Boolean(),
    subject: Type.Union([Type.String(), Type.Null()]),
    digest: Digest,
    opened: Millis,
    deadline: Millis,
    /** Of the deadline; empty once the round has ended. */
    timer: Type.String(),
    status: Status,
    voters: Type.Integer(),
    required: Weight,
    total: Weight,
    approvals: Weight,
    rejections: Weight,
    votes: Type.Array(Vote),
    ended: Type.Union([Millis, Type.Null()]),
    hasBound: Type.Boolean(),
    release: Type.Union([Release, Type.Null()]),
  },
  strict,
);
export type Round = Static<typeof Round>;

const Ballot = Type.Object({ choice: Choice, height: Type.Integer() }, strict);
export const Evidence = Type.Object(
  {
    round: RoundId,
    digest: Digest,
    voter: Voter,
    first: Ballot,
    second: Ballot,
    time: Millis,
  },
  strict,
);
export type Evidence = Static<typeof Evidence>;

export const Settings = Type.Object(
  { keepMs: Type.Integer(), keepRounds: Type.Integer(), keepEvidenceMs: Type.Integer() },
  strict,
);

/** A time as text in whose order times are. */
export const inOrder = (time: number): string => time.toString().padStart(16, '0');

export const tables = {
  committees: table('By the hash of its members and of what it requires.', Committee, {
    byMember: ({ members }) => members.map(({ voter }) => voter),
  }),
  // One row a round, votes and all: rounds are many, and a few fields is what one costs.
  rounds: table('By id.', Round, {
    byStatus: ({ status, committee, ended }) =>
      `${status}/${ended === null ? committee : inOrder(ended)}`,
    byEnd: ({ ended }) => (ended === null ? null : inOrder(ended)),
  }),
  bound: table('By id of the open round that is to release it.', Bound),
  evidence: table('By `<round>/<voter>/<height>`: two votes of one voter in one round.', Evidence, {
    byVoter: ({ voter }) => voter,
    byTime: ({ time }) => inOrder(time),
  }),
  counts: table('One row, `ended`: the rounds kept that have ended.', Type.Integer()),
  settings: table('One row, `keep`: for how long, and how many.', Settings),
};

const tally = { approvals: Weight, rejections: Weight };

export const events = {
  committeeCreated: event(
    'A committee was named for the first time.',
    Type.Object({ committee: Digest }, strict),
  ),
  opened: event(
    'A round was opened.',
    Type.Object(
      {
        round: RoundId,
        digest: Digest,
        committee: Digest,
        subject: Type.Union([Type.String(), Type.Null()]),
        voters: Type.Integer(),
        required: Weight,
        total: Weight,
        deadline: Millis,
      },
      strict,
    ),
  ),
  voted: event(
    'A vote counts; with what that makes of the round so far.',
    Type.Object({ round: RoundId, voter: Voter, choice: Choice, weight: Weight, ...tally }, strict),
  ),
  decided: event(
    'A round has ended.',
    Type.Object({ round: RoundId, digest: Digest, status: Status, ...tally }, strict),
  ),
  released: event(
    'The transaction bound to an approved round has run, or was refused with `code`.',
    Type.Object(
      {
        round: RoundId,
        module: Type.String(),
        command: Type.String(),
        sender: Type.String(),
        ok: Type.Boolean(),
        code: Type.Union([Type.String(), Type.Null()]),
      },
      strict,
    ),
  ),
  doubleVote: event('A voter has voted for both choices; only the first counts.', Evidence),
};
