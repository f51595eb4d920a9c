/**
 * What modules have said in events, as rows: votes of named rounds, and transfers over the bridge. Events
 * carry the name of the module that emitted them, so nobody else can write here.
 */
import type pg from 'pg';
import { insert } from './insert.ts';
import type { Emitted } from './rows.ts';

/** `voting.voted` */
interface Voted {
  readonly round: string;
  readonly voter: string;
  readonly choice: string;
  readonly weight: number;
}

/** `voting.decided` */
interface Decided {
  readonly round: string;
  readonly status: string;
}

/** All events of `bridge` about a transfer. */
interface Named {
  readonly transfer: string;
  readonly direction: string;
  readonly outsideId: string | null;
  readonly asset: string;
  readonly to: string;
  readonly amount: number | bigint;
  /** Milliseconds. */
  readonly deadline: number;
  /** Of `attested`. */
  readonly attestations?: number;
}

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
] as const;

/** No vote counts after its round is decided, so those of a step may all come before its decisions. */
async function projectVotes(client: pg.Client, events: readonly Emitted[]): Promise<void> {
  const votes = events.filter(({ name }) => name === 'voted').map(approvalRow);
  await insert(client, 'approval', APPROVAL_COLUMNS, votes);
  const decisions = events
    .filter(({ name }) => name === 'decided')
    .map(({ data }) => data as unknown as Decided);
  if (decisions.length === 0) return;
  await client.query(
    `UPDATE althing.approval a SET status = d.status
     FROM unnest($1::text[], $2::text[]) AS d (round, status)
     WHERE a.round = d.round AND a.status = 'open'`,
    [decisions.map(({ round }) => round), decisions.map(({ status }) => status)],
  );
}

function approvalRow({ height, time, index, ordinal, data }: Emitted): unknown[] {
  const { round, voter, choice, weight } = data as unknown as Voted;
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
] as const;

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
    const data = event.data as unknown as Named;
    const before = rows.get(data.transfer);
    rows.set(data.transfer, transferRow(event, data, status, before));
  }
  await insert(client, 'bridge_transfer', TRANSFER_COLUMNS, [...rows.values()], KEEP_OLDER);
}

function transferRow(
  { height, time }: Emitted,
  data: Named,
  status: string,
  before: readonly unknown[] | undefined,
): unknown[] {
  const { transfer, direction, outsideId, asset, to, amount, deadline } = data;
  const attestations = Math.max(data.attestations ?? 0, Number(before?.[10] ?? 0));
  return [
    before?.[0] ?? height,
    before?.[1] ?? time,
    time,
    transfer,
    direction,
    outsideId ?? before?.[5] ?? null,
    asset,
    to,
    amount.toString(),
    new Date(deadline),
    attestations,
    status,
  ];
}
