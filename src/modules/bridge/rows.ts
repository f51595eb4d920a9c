/** What the bridge stores and says, and the forms of names in it. */
import {
  Amount,
  event,
  table,
  Type,
  type Context,
  type ReadContext,
  type Static,
  type TimerDefinition,
} from '../../module.ts';

export const strict = { additionalProperties: false };

const DAY_MS = 24 * 60 * 60 * 1000;
/** How far ahead of block time a deadline may lie. */
export const AHEAD_MS_MAX = 7 * DAY_MS;
export const ATTESTERS_MAX = 64;
export const ASSETS_MAX = 64;
/** Outside transfers under way that one attester was the first to name. */
export const OPEN_MAX = 10_000;
/** Pieces of evidence kept of one attester: by then it is known. */
export const EVIDENCE_MAX = 1000;

export const Attester = Type.String({
  pattern: '^key:[0-9a-f]{64}$',
  description: '`key:` and 64 digits of lower-case hex',
});
export const Asset = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,16}$',
  description: '1 to 16 letters, digits, dots, dashes or underscores',
});
export const OutsideId = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,128}$',
  description: '1 to 128 letters, digits, dots, dashes, colons or underscores',
});
export const Address = Type.String({ minLength: 1, maxLength: 128 });
export const TransferId = Type.String({
  pattern: '^(out-[0-9]{12}|in-[0-9a-f]{64})$',
  description: 'the id that the bridge gave the transfer',
});
export const Millis = Type.Integer({ minimum: 0, description: 'milliseconds since 1970' });
export const Positive = Type.Union(
  [Type.Integer({ minimum: 1 }), Type.BigInt({ minimum: 1n, exclusiveMaximum: 2n ** 63n })],
  { 'x-json-form': 'integer64', description: 'an integer from 1 to 2^63 - 1, as decimal text' },
);
/** A sum as decimal text: what has gone over in years may exceed an amount. */
export const Sum = Type.String({ pattern: '^[0-9]+$', description: 'decimal text' });
export const Status = Type.Union(
  [Type.Literal('open'), Type.Literal('released'), Type.Literal('refunded')],
  { description: '`open`, `released` or `refunded`' },
);
export const Direction = Type.Union([Type.Literal('out'), Type.Literal('in')]);

/** What is agreed on, here and outside. */
export const content = { asset: Asset, to: Address, amount: Positive, deadline: Millis };
export const Content = Type.Object(
  { asset: Asset, to: Address, amount: Amount, deadline: Millis },
  strict,
);
export type Content = Static<typeof Content>;

const Transfer = Type.Object(
  {
    direction: Direction,
    content: Content,
    /** Who locked, or the attester who first named it. */
    by: Type.String(),
    outsideId: Type.Union([OutsideId, Type.Null()]),
    attesters: Type.Array(Attester),
    status: Status,
    height: Type.Integer(),
    opened: Millis,
    ended: Type.Union([Millis, Type.Null()]),
    /** Of the deadline; empty once the transfer has ended. */
    timer: Type.String(),
  },
  strict,
);
export type Transfer = Static<typeof Transfer>;

export const Evidence = Type.Object(
  {
    attester: Attester,
    /** The outbound transfer, or the outside id. */
    about: Type.String(),
    first: Content,
    firstHeight: Type.Integer(),
    second: Content,
    secondHeight: Type.Integer(),
  },
  strict,
);
export type Evidence = Static<typeof Evidence>;

export const Settings = Type.Object(
  {
    attesters: Type.Array(Attester),
    required: Type.Integer(),
    assets: Type.Array(Asset),
    keepMs: Type.Integer(),
  },
  strict,
);

/** A time as text in whose order times are. */
export const inOrder = (time: number): string => time.toString().padStart(16, '0');
export const outsideKey = (asset: string, outsideId: string): string => `${asset}/${outsideId}`;

export const tables = {
  settings: table(
    'One row, `bridge`: the attesters, how many must agree, what is bridged.',
    Settings,
  ),
  accounts: table(
    "By `<asset>/locked`, `<asset>/reserve` or `<asset>/<sender>`: the bridge's account in the ledger.",
    Type.String(),
  ),
  transfers: table('By id.', Transfer, {
    byStatus: ({ status, opened }) => `${status}/${inOrder(opened)}`,
    byOwner: ({ direction, by }) => (direction === 'out' ? by : null),
    byOutsideId: ({ content: { asset }, outsideId }) =>
      outsideId === null ? null : outsideKey(asset, outsideId),
    byEnd: ({ ended }) => (ended === null ? null : inOrder(ended)),
  }),
  attestations: table(
    'By `<asset>/<outside id>/<attester>`: of which inbound transfer the attester spoke.',
    TransferId,
  ),
  arrived: table(
    'By `<asset>/<outside id>`: the inbound transfer of it that was released.',
    TransferId,
  ),
  evidence: table('By `<attester>/<what it is about>`: two contents for one transfer.', Evidence),
  attesters: table(
    'By attester: the open transfers that it was the first to name, the evidence against it.',
    Type.Object({ open: Type.Integer(), evidence: Type.Integer() }, strict),
  ),
  supply: table(
    'By asset: what open outbound transfers hold, what went out, what came in.',
    Type.Object({ locked: Sum, out: Sum, in: Sum }, strict),
  ),
  counts: table('One row, `out`: outbound transfers so far.', Type.Integer()),
};

const named = {
  transfer: TransferId,
  direction: Direction,
  outsideId: Type.Union([OutsideId, Type.Null()]),
  ...Content.properties,
};

export const events = {
  locked: event(
    'An amount was locked for an address outside.',
    Type.Object({ ...named, by: Type.String() }, strict),
  ),
  attested: event(
    'An attestation counts, the last of so many.',
    Type.Object({ ...named, attester: Attester, attestations: Type.Integer() }, strict),
  ),
  released: event('A transfer is final: out, or in.', Type.Object(named, strict)),
  refunded: event('The deadline of a transfer came first.', Type.Object(named, strict)),
  conflicting: event('An attester says two things of one transfer.', Evidence),
};

export const Deadline = Type.Object({ transfer: TransferId }, strict);

export type Commands = Context<
  typeof tables,
  typeof events,
  { readonly refund: TimerDefinition<typeof Deadline> }
>;
export type Queries = ReadContext<typeof tables>;
