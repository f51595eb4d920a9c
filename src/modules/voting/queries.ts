/** What can be asked of voting. */
import {
  refuse,
  Type,
  type ModuleRefusal,
  type Page,
  type QueryKit,
  type Static,
} from '../../module.ts';
import type { Queries } from './context.ts';
import { authorityOf } from './electorate.ts';
import {
  Bound,
  Choice,
  Committee,
  Digest,
  Evidence,
  Round,
  RoundId,
  Status,
  strict,
  Voter,
  Weight,
  type tables as votingTables,
} from './rows.ts';

const PAGE = 100;
/** Committees of a voter that one page of its rounds looks at. */
const COMMITTEES_PER_PAGE = 100;

const RoundView = Type.Composite(
  [
    Type.Object({ round: RoundId, sender: Type.String() }),
    Type.Omit(Round, ['ofValidators', 'timer', 'votes']),
  ],
  strict,
);
const VoteView = Type.Object(
  {
    voter: Voter,
    weight: Weight,
    choice: Choice,
    height: Type.Integer(),
    twice: Type.Boolean(),
  },
  strict,
);
const CommitteeView = Type.Composite(
  [Type.Object({ committee: Digest, sender: Type.String() }), Committee],
  strict,
);

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));
const pageArgs = { after: Type.Optional(Type.String({ maxLength: 512 })), limit };
const next = Type.Union([Type.String(), Type.Null()]);

const RoundsView = Type.Object({ rounds: Type.Array(RoundView), next }, strict);

function roundView(round: string, row: Round): Static<typeof RoundView> {
  const { ofValidators: _, timer: _timer, votes: _votes, ...rest } = row;
  return { round, sender: `module:voting/${authorityOf(row)}`, ...rest };
}

function committeeView(committee: string, row: Committee): Static<typeof CommitteeView> {
  return { committee, sender: `module:voting/${committee}`, ...row };
}

const roundNotFound = (): ModuleRefusal => refuse('round_not_found', 'there is no such round');

function roundsPage({ rows, next }: Page<Round>): Static<typeof RoundsView> {
  return { rounds: rows.map(([round, row]) => roundView(round, row)), next };
}

interface RoundsAsked {
  readonly status?: Round['status'];
  readonly after?: string;
  readonly limit?: number;
}

function roundsOf({ tables }: Queries, asked: RoundsAsked): Static<typeof RoundsView> {
  const { status, after, limit = PAGE } = asked;
  return roundsPage(
    status === undefined
      ? tables.rounds.page({ after, limit })
      : tables.rounds.pageBy('byStatus', { prefix: `${status}/`, after, limit }),
  );
}

function openRoundsOfCommittee(
  { tables }: Queries,
  asked: { readonly committee: string; readonly after?: string; readonly limit?: number },
): Static<typeof RoundsView> {
  const { committee, after, limit = PAGE } = asked;
  const equals = `open/${committee}`;
  return roundsPage(tables.rounds.pageBy('byStatus', { equals, after, limit }));
}

/**
 * Open rounds, committee by committee. `after` is `<committee>/<round>` within a committee, and
 * `<committee>` when all of its rounds were listed.
 */
function openRoundsOf(
  { tables }: Queries,
  asked: { readonly voter: string; readonly after?: string; readonly limit?: number },
): Static<typeof RoundsView> {
  const { voter, after = '', limit = PAGE } = asked;
  const [begun = '', last] = after.split('/');
  const ofVoter = { equals: voter, after: begun, limit: COMMITTEES_PER_PAGE };
  const following = tables.committees.pageBy('byMember', ofVoter);
  const names = following.rows.map(([name]) => name);
  const rounds: Static<typeof RoundView>[] = [];
  let done = begun;
  for (const committee of last === undefined ? names : [begun, ...names]) {
    if (rounds.length >= limit) return { rounds, next: done };
    const page = tables.rounds.pageBy('byStatus', {
      equals: `open/${committee}`,
      after: committee === begun ? last : undefined,
      limit: limit - rounds.length,
    });
    rounds.push(...roundsPage(page).rounds);
    if (page.next !== null) return { rounds, next: `${committee}/${page.next}` };
    done = committee;
  }
  return { rounds, next: following.next === null ? null : done };
}

type Kit = QueryKit<typeof votingTables>;

const roundQueries = ({ query }: Kit) => ({
  round: query(
    {
      description: 'One round. `sender` is as what its committee acts.',
      args: Type.Object({ round: RoundId }, strict),
      result: RoundView,
    },
    ({ tables }, { round }) => {
      const row = tables.rounds.get(round);
      return row === undefined ? roundNotFound() : roundView(round, row);
    },
  ),

  rounds: query(
    {
      description:
        'Rounds in order of their ids, or those of a status: open ones by committee, others by when they ended.',
      args: Type.Object({ status: Type.Optional(Status), ...pageArgs }, strict),
      result: RoundsView,
    },
    roundsOf,
  ),

  openRounds: query(
    {
      description: 'The open rounds of a committee in order of their ids.',
      args: Type.Object({ committee: Digest, ...pageArgs }, strict),
      result: RoundsView,
    },
    openRoundsOfCommittee,
  ),

  openRoundsOfVoter: query(
    {
      description: 'The open rounds in which a voter has a vote, committee by committee.',
      args: Type.Object({ voter: Voter, ...pageArgs }, strict),
      result: RoundsView,
    },
    openRoundsOf,
  ),
});

const contentQueries = ({ query }: Kit) => ({
  bound: query(
    {
      description: 'The transaction that an open round is to release.',
      args: Type.Object({ round: RoundId }, strict),
      result: Type.Composite([Type.Object({ digest: Digest }), Bound], strict),
    },
    ({ tables }, { round }) => {
      const row = tables.rounds.get(round);
      if (row === undefined) return roundNotFound();
      const bound: Bound | undefined = tables.bound.get(round);
      if (bound !== undefined) return { digest: row.digest, ...bound };
      return refuse('bound_not_found', 'the round has none, or has ended');
    },
  ),

  votes: query(
    {
      description: 'The votes of a round in the order in which they came.',
      args: Type.Object({ round: RoundId }, strict),
      result: Type.Object({ votes: Type.Array(VoteView) }, strict),
    },
    ({ tables }, { round }) => {
      const row = tables.rounds.get(round);
      if (row === undefined) return roundNotFound();
      const { members } = tables.committees.get(row.committee)!;
      const votes = row.votes.map(({ member, ...vote }) => ({ ...members[member]!, ...vote }));
      return { votes };
    },
  ),
});

const voterQueries = ({ query }: Kit) => ({
  evidence: query(
    {
      description: 'Double votes, all or those of a voter.',
      args: Type.Object({ voter: Type.Optional(Voter), ...pageArgs }, strict),
      result: Type.Object({ evidence: Type.Array(Evidence), next }, strict),
    },
    ({ tables }, { voter, after, limit = PAGE }) => {
      const page =
        voter === undefined
          ? tables.evidence.page({ after, limit })
          : tables.evidence.pageBy('byVoter', { equals: voter, after, limit });
      return { evidence: page.rows.map(([, row]) => row), next: page.next };
    },
  ),

  committee: query(
    {
      description: 'One committee.',
      args: Type.Object({ committee: Digest }, strict),
      result: CommitteeView,
    },
    ({ tables }, { committee }) => {
      const row = tables.committees.get(committee);
      if (row === undefined) return refuse('committee_not_found', 'no committee of that name');
      return committeeView(committee, row);
    },
  ),

  committees: query(
    {
      description: 'Committees in order of their names, all or those of a voter.',
      args: Type.Object({ voter: Type.Optional(Voter), ...pageArgs }, strict),
      result: Type.Object({ committees: Type.Array(CommitteeView), next }, strict),
    },
    ({ tables }, { voter, after, limit = PAGE }) => {
      const page =
        voter === undefined
          ? tables.committees.page({ after, limit })
          : tables.committees.pageBy('byMember', { equals: voter, after, limit });
      const committees = page.rows.map(([name, row]) => committeeView(name, row));
      return { committees, next: page.next };
    },
  ),
});

export const votingQueries = (kit: Kit) => ({
  ...roundQueries(kit),
  ...contentQueries(kit),
  ...voterQueries(kit),
});
