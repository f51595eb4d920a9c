/**
 * What modules have said in events, as rows: votes of named rounds, and transfers over the bridge. Events
 * carry the name of the module that emitted them, so nobody else can write here.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type pg from 'pg';
import { columnsOf, fittingText, insert, unnested, type ColumnTypes } from './insert.ts';
import type { Emitted } from './rows.ts';

/** `voting.voted` */
const Voted = Type.Object({
  round: Type.String(),
  voter: Type.String(),
  choice: Type.String(),
  weight: Type.Integer(),
});

/** `voting.decided` */
const Decided = Type.Object({ round: Type.String(), status: Type.String() });

/** All events of `bridge` about a transfer. */
const Named = Type.Object({
  transfer: Type.String(),
  direction: Type.String(),
  outsideId: Type.Union([Type.String(), Type.Null()]),
  asset: Type.String(),
  to: Type.String(),
  amount: Type.Union([Type.Integer(), Type.BigInt()]),
  deadline: Type.Integer({ description: 'milliseconds' }),
  attestations: Type.Optional(Type.Integer({ description: 'of `attested`' })),
});

/** An event whose data is known. */
type Known<T extends TSchema> = Omit<Emitted, 'data'> & { readonly data: Static<T> };

/** Another module may have the name and say something else: that is no row. */
function knownBy<T extends TSchema>(schema: T): (event: Emitted) => readonly Known<T>[] {
  const type = TypeCompiler.Compile(schema);
  return (event) => (type.Check(event.data) ? [{ ...event, data: event.data }] : []);
}

const asVoted = knownBy(Voted);
const asDecided = knownBy(Decided);
const asNamed = knownBy(Named);

export async function projectEvents(client: pg.Client, events: readonly Emitted[]): Promise<void> {
  if (events.length === 0) return;
  await projectVotes(
    client,
    events.filter(({ module }) => module === 'voting'),
  );
  await projectTransfers(
    client,
    events.filter(({ module }) => module === 'bridge'),
  );
}

// ----------------------------------------------------------------------------------------- approval

const APPROVAL_COLUMNS = [
  ['height', 'bigint'],
  ['created_at', 'timestamptz'],
  ['index', 'integer'],
  ['ordinal', 'integer'],
  ['round', 'text'],
  ['voter', 'text'],
  ['choice', 'text'],
  ['weight', 'bigint'],
  ['status', 'text'],
] as const satisfies ColumnTypes;

const DECISION_COLUMNS = [
  ['round', 'text'],
  ['status', 'text'],
] as const satisfies ColumnTypes;

/** No vote counts after its round is decided, so those of a step may all come before its decisions. */
async function projectVotes(client: pg.Client, events: readonly Emitted[]): Promise<void> {
  const votes = events.filter(({ name }) => name === 'voted').flatMap(asVoted);
  await insert(client, 'approval', APPROVAL_COLUMNS, votes.map(approvalRow));
  const decisions = events.filter(({ name }) => name === 'decided').flatMap(asDecided);
  if (decisions.length === 0) return;
  await client.query(
    `UPDATE althing.approval a SET status = d.status
     FROM ${unnested(DECISION_COLUMNS)} AS d (round, status)
     WHERE a.round = d.round AND a.status = 'open'`,
    columnsOf(
      DECISION_COLUMNS,
      decisions.map(({ data: { round, status } }) => [round, status]),
    ),
  );
}

function approvalRow({ height, time, index, ordinal, data }: Known<typeof Voted>): unknown[] {
  const { round, voter, choice, weight } = data;
  return [height, time, index, ordinal, round, voter, choice, weight, 'open'];
}

// ----------------------------------------------------------------------------------- bridge_transfer

const TRANSFER_COLUMNS = [
  ['height', 'bigint'],
  ['created_at', 'timestamptz'],
  ['updated_at', 'timestamptz'],
  ['id', 'text'],
  ['direction', 'text'],
  ['outside_id', 'text'],
  ['asset', 'text'],
  ['to', 'text'],
  ['amount', 'numeric'],
  ['deadline', 'timestamptz'],
  ['attestations', 'integer'],
  ['status', 'text'],
] as const satisfies ColumnTypes;

/** What a transfer is after an event of this name. */
const STATUSES: Readonly<Record<string, string>> = {
  locked: 'open',
  attested: 'open',
  released: 'released',
  refunded: 'refunded',
};

const KEEP_OLDER = `ON CONFLICT (id) DO UPDATE SET
  updated_at = EXCLUDED.updated_at,
  outside_id = coalesce(EXCLUDED.outside_id, bridge_transfer.outside_id),
  attestations = greatest(EXCLUDED.attestations, bridge_transfer.attestations),
  status = EXCLUDED.status`;

/** The last word of the step about each transfer; what it was before stays where it says nothing. */
async function projectTransfers(client: pg.Client, events: readonly Emitted[]): Promise<void> {
  const rows = new Map<string, unknown[]>();
  for (const event of events) {
    const status = STATUSES[event.name];
    if (status === undefined) continue;
    for (const named of asNamed(event)) {
      // By what will be in the column: a row changes once in a statement.
      const id = fittingText(named.data.transfer);
      rows.set(id, transferRow(named, status, rows.get(id)));
    }
  }
  await insert(client, 'bridge_transfer', TRANSFER_COLUMNS, [...rows.values()], KEEP_OLDER);
}

function transferRow(
  { height, time, data }: Known<typeof Named>,
  status: string,
  before: readonly unknown[] | undefined,
): unknown[] {
  const { transfer, direction, outsideId, asset, to, amount, deadline, attestations = 0 } = data;
  return [
    before?.[0] ?? height,
    before?.[1] ?? time,
    time,
    transfer,
    direction,
    outsideId ?? before?.[5] ?? null,
    asset,
    to,
    amount,
    deadline,
    Math.max(attestations, Number(before?.[10] ?? 0)),
    status,
  ];
}
