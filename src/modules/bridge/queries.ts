/** What can be asked of the bridge. */
import { refuse, Type, type Page, type QueryKit, type Static } from '../../module.ts';
import {
  Asset,
  Attester,
  Content,
  Direction,
  Evidence,
  Millis,
  outsideKey,
  OutsideId,
  Status,
  strict,
  Sum,
  TransferId,
  type Queries,
  type Transfer,
  type tables as bridgeTables,
} from './rows.ts';

const PAGE = 100;
const AmountText = Type.String({
  pattern: '^[0-9]{1,19}$',
  description: 'an amount as decimal text',
});

const TransferView = Type.Object(
  {
    transfer: TransferId,
    direction: Direction,
    outsideId: Type.Union([OutsideId, Type.Null()]),
    asset: Asset,
    to: Type.String(),
    amount: AmountText,
    deadline: Millis,
    status: Status,
    by: Type.String(),
    attesters: Type.Array(Attester),
    height: Type.Integer(),
    opened: Millis,
    ended: Type.Union([Millis, Type.Null()]),
  },
  strict,
);
const next = Type.Union([Type.String(), Type.Null()]);
/** `time`: of the block that the answer reflects; what is not in it yet was not decided by then. */
const TransfersView = Type.Object(
  { transfers: Type.Array(TransferView), next, time: Millis },
  strict,
);
const ContentView = Type.Object({ ...Content.properties, amount: AmountText }, strict);
const EvidenceView = Type.Object(
  { ...Evidence.properties, first: ContentView, second: ContentView },
  strict,
);
const paging = {
  after: Type.Optional(Type.String({ maxLength: 512 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
};
interface Asked {
  readonly after?: string;
  readonly limit?: number;
}

function view(transfer: string, row: Transfer): Static<typeof TransferView> {
  const { content, timer: _timer, ...rest } = row;
  return { transfer, ...rest, ...contentView(content) };
}

function contentView(content: Content): Static<typeof ContentView> {
  return { ...content, amount: content.amount.toString() };
}

function pageView({ rows, next }: Page<Transfer>, time: number): Static<typeof TransfersView> {
  return { transfers: rows.map(([id, row]) => view(id, row)), next, time };
}

function transfers(
  { tables, time }: Queries,
  asked: Asked & { readonly status?: Transfer['status'] },
): Static<typeof TransfersView> {
  const { status, after, limit = PAGE } = asked;
  return pageView(
    status === undefined
      ? tables.transfers.page({ after, limit })
      : tables.transfers.pageBy('byStatus', { prefix: `${status}/`, after, limit }),
    time,
  );
}

type Kit = QueryKit<typeof bridgeTables>;

const transferQueries = ({ query }: Kit) => ({
  transfer: query(
    {
      description: 'One transfer.',
      args: Type.Object({ transfer: TransferId }, strict),
      result: TransferView,
    },
    ({ tables }, { transfer }) => {
      const row = tables.transfers.get(transfer);
      if (row === undefined) return refuse('transfer_not_found', 'there is no such transfer');
      return view(transfer, row);
    },
  ),

  transfers: query(
    {
      description: 'Transfers in order of their ids, or those of a status in order of time.',
      args: Type.Object({ status: Type.Optional(Status), ...paging }, strict),
      result: TransfersView,
    },
    transfers,
  ),

  transfersOf: query(
    {
      description: 'The transfers that a sender has locked.',
      args: Type.Object({ owner: Type.String({ maxLength: 512 }), ...paging }, strict),
      result: TransfersView,
    },
    ({ tables, time }, { owner, after, limit = PAGE }) =>
      pageView(tables.transfers.pageBy('byOwner', { equals: owner, after, limit }), time),
  ),

  arrivals: query(
    {
      description: 'What attesters say of an outside id: one transfer for each content.',
      args: Type.Object({ asset: Asset, outsideId: OutsideId, ...paging }, strict),
      result: TransfersView,
    },
    ({ tables, time }, { asset, outsideId, after, limit = PAGE }) => {
      const equals = outsideKey(asset, outsideId);
      return pageView(tables.transfers.pageBy('byOutsideId', { equals, after, limit }), time);
    },
  ),
});

const bookQueries = ({ query }: Kit) => ({
  account: query(
    {
      description: "A sender's account with the bridge.",
      args: Type.Object({ asset: Asset, owner: Type.String({ maxLength: 512 }) }, strict),
      result: Type.Object({ account: Type.String() }, strict),
    },
    ({ tables }, { asset, owner }) => {
      const account = tables.accounts.get(`${asset}/${owner}`);
      return account === undefined
        ? refuse('account_not_found', 'the sender has not enrolled')
        : { account };
    },
  ),

  supply: query(
    {
      description:
        'What open outbound transfers hold, what went out and came in so far, and the accounts of it.',
      args: Type.Object({ asset: Asset }, strict),
      result: Type.Object(
        {
          asset: Asset,
          locked: Sum,
          out: Sum,
          in: Sum,
          lockedAccount: next,
          reserveAccount: next,
        },
        strict,
      ),
    },
    ({ tables: { supply, accounts } }, { asset }) => {
      const books = supply.get(asset);
      return {
        asset,
        locked: books?.locked ?? '0',
        out: books?.out ?? '0',
        in: books?.in ?? '0',
        lockedAccount: accounts.get(`${asset}/locked`) ?? null,
        reserveAccount: accounts.get(`${asset}/reserve`) ?? null,
      };
    },
  ),
});

const attesterQueries = ({ query }: Kit) => ({
  attesters: query(
    {
      description: 'The attesters, how many must agree, and what is bridged.',
      args: Type.Object({}, strict),
      result: Type.Object(
        { attesters: Type.Array(Attester), required: Type.Integer(), assets: Type.Array(Asset) },
        strict,
      ),
    },
    ({ tables }) => {
      const { attesters, required, assets } = tables.settings.get('bridge')!;
      return { attesters, required, assets };
    },
  ),

  evidence: query(
    {
      description: 'Attesters that said two things of one transfer.',
      args: Type.Object({ attester: Type.Optional(Attester), ...paging }, strict),
      result: Type.Object({ evidence: Type.Array(EvidenceView), next }, strict),
    },
    ({ tables }, { attester, after, limit = PAGE }) => {
      const prefix = attester === undefined ? '' : `${attester}/`;
      const { rows, next } = tables.evidence.page({ prefix, after, limit });
      const evidence = rows.map(([, row]: readonly [string, Evidence]) => ({
        ...row,
        first: contentView(row.first),
        second: contentView(row.second),
      }));
      return { evidence, next };
    },
  ),
});

export const bridgeQueries = (kit: Kit) => ({
  ...transferQueries(kit),
  ...bookQueries(kit),
  ...attesterQueries(kit),
});
