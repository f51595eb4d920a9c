/**
 * What is asked of the read model, as SQL: pages in the order of the chain, newest first, each from
 * behind the last row of the one before. Every filter has an index that has this order, and they are asked
 * for one at a time.
 */
import { Type, type Static, type TObject } from '@sinclair/typebox';
import { Where, type Parameters, type Sql } from './where.ts';

export type { Parameters } from './where.ts';

const Limit = Type.Integer({ minimum: 1, maximum: 500, description: 'rows wanted, 1 to 500' });
const Height = Type.Integer({ minimum: 1, description: 'a height, from 1 on' });
const Time = Type.String({
  pattern:
    '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?Z$',
  description: 'a time such as 2026-01-31T12:00:00Z',
});
const Text = Type.String({
  pattern: '^[^\\u0000]{1,300}$',
  description: '1 to 300 characters without U+0000',
});
const Command = Type.String({
  pattern: '^[^.\\u0000]{1,255}\\.[^.\\u0000]{1,255}$',
  description: 'a module and its command, such as ledger.transfer',
});
const Id = Type.String({
  pattern: '^[0-9a-f]{64}(-(0|[1-9][0-9]{0,4}))?$',
  description: 'the id of a submission, or of one of its transactions',
});

/** What every list takes: `cursor` is the `next` of the page before, in the form that the list gives it. */
const page = (cursor: string) => ({
  cursor: Type.Optional(
    Type.String({ pattern: `^${cursor}$`, description: 'the `next` of the page before' }),
  ),
  limit: Type.Optional(Limit),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  fromHeight: Type.Optional(Height),
  toHeight: Type.Optional(Height),
});
const AT_HEIGHT = '[0-9]{1,15}';
const AT_INDEX = `${AT_HEIGHT}\\.[0-9]{1,9}`;
const AT_NAME = `${AT_HEIGHT}\\.[^\\u0000]{1,80}`;
const strict = { additionalProperties: false };

/** Those of a list that are not of all lists: each has an index, and two together have none. */
export function filtersOf({ parameters }: List): readonly string[] {
  const ofAll = page('');
  return Object.keys(parameters.properties).filter((name) => !Object.hasOwn(ofAll, name));
}

export interface List {
  /** The last part of its path. */
  readonly name: string;
  readonly description: string;
  /** Whether it follows the blocks; else what was executed in them. */
  readonly isOfChain: boolean;
  /** Whether rows with the status `open` change. */
  readonly changes: boolean;
  readonly parameters: TObject;
  readonly sql: (parameters: Parameters) => Sql;
  readonly shown: (row: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** Where the row stands, for `cursor`. */
  readonly place: (row: Readonly<Record<string, unknown>>) => string;
}

export const LIMIT_DEFAULT = 50;

const hex = (value: unknown): string => (value as Buffer).toString('hex');
const time = (value: unknown): string => (value as Date).toISOString();

const Transactions = Type.Object(
  {
    ...page(AT_INDEX),
    id: Type.Optional(Id),
    module: Type.Optional(Text),
    command: Type.Optional(Command),
    sender: Type.Optional(Text),
    status: Type.Optional(
      Type.Union([Type.Literal('ok'), Type.Literal('failed')], { description: 'ok or failed' }),
    ),
  },
  strict,
);

const transactions: List = {
  name: 'transactions',
  description: 'Transactions, newest first.',
  isOfChain: false,
  changes: false,
  parameters: Transactions,
  sql: (parameters) => {
    const { id, module, command, sender, status, cursor, limit } = parameters as Static<
      typeof Transactions
    >;
    const [submission, position] = id?.split('-') ?? [];
    const [height, index] = (cursor?.split('.') ?? []).map(Number);
    const [moduleOfCommand, commandName] = command?.split('.') ?? [];
    return new Where()
      .add('submission = ?', submission === undefined ? undefined : Buffer.from(submission, 'hex'))
      .add('position = ?', position)
      .add('module = ?', module)
      .add('module = ?', moduleOfCommand)
      .add('command = ?', commandName)
      .add('sender = ?', sender)
      .add('status = ?', status)
      .add(`(height, index) < (${height ?? 0}, ?)`, height === undefined ? undefined : (index ?? 0))
      .addTimes(parameters)
      .select('transaction', 'height DESC, index DESC', limit);
  },
  shown: ({ height, created_at, index, position, submission, ...row }) => ({
    id: `${hex(submission)}-${Number(position)}`,
    height: Number(height),
    index,
    ...row,
    createdAt: time(created_at),
  }),
  place: ({ height, index }) => `${Number(height)}.${Number(index)}`,
};

const Blocks = Type.Object(page(AT_HEIGHT), strict);

const blocks: List = {
  name: 'blocks',
  description: 'Final blocks, newest first.',
  isOfChain: true,
  changes: false,
  parameters: Blocks,
  sql: (parameters) =>
    new Where()
      .add('height < ?', parameters['cursor'])
      .addTimes(parameters)
      .select('block', 'height DESC', parameters['limit']),
  shown: ({
    height,
    created_at,
    epoch,
    term,
    executed_height,
    digest,
    state_root,
    receipts_root,
  }) => ({
    height: Number(height),
    digest: hex(digest),
    epoch: Number(epoch),
    term: Number(term),
    executed: {
      height: Number(executed_height),
      stateRoot: hex(state_root),
      receiptsRoot: hex(receipts_root),
    },
    createdAt: time(created_at),
  }),
  place: ({ height }) => String(height),
};

const Votes = Type.Object({ ...page(AT_NAME), validator: Type.Optional(Text) }, strict);

const consensusVotes: List = {
  name: 'consensus-votes',
  description: 'The commit votes by which blocks became final, newest first.',
  isOfChain: true,
  changes: false,
  parameters: Votes,
  sql: (parameters) => {
    const { validator, cursor, limit } = parameters as Static<typeof Votes>;
    const at = cursor?.indexOf('.') ?? -1;
    const height = Number(cursor?.slice(0, at) ?? 0);
    return new Where()
      .add('validator = ?', validator)
      .add(`(height, validator) < (${height}, ?)`, at < 0 ? undefined : cursor!.slice(at + 1))
      .addTimes(parameters)
      .select('consensus_vote', 'height DESC, validator DESC', limit);
  },
  shown: ({ height, created_at, epoch, term, validator, kind, block }) => ({
    height: Number(height),
    validator,
    kind,
    epoch: Number(epoch),
    term: Number(term),
    block: hex(block),
    createdAt: time(created_at),
  }),
  place: ({ height, validator }) => `${Number(height)}.${String(validator)}`,
};

const Approvals = Type.Object(
  {
    ...page(`${AT_INDEX}\\.[0-9]{1,9}`),
    round: Type.Optional(Text),
    voter: Type.Optional(Text),
    status: Type.Optional(
      Type.Union(
        ['open', 'approved', 'rejected', 'expired'].map((each) => Type.Literal(each)),
        { description: 'open, approved, rejected or expired' },
      ),
    ),
  },
  strict,
);

const approvals: List = {
  name: 'approvals',
  description: 'Votes in named rounds, newest first; `status` is what became of the round.',
  isOfChain: false,
  changes: true,
  parameters: Approvals,
  sql: (parameters) => {
    const { round, voter, status, cursor, limit } = parameters as Static<typeof Approvals>;
    const [height, index, ordinal] = (cursor?.split('.') ?? []).map(Number);
    const before = `(height, index, ordinal) < (${height ?? 0}, ${index ?? 0}, ?)`;
    return new Where()
      .add('round = ?', round)
      .add('voter = ?', voter)
      .add('status = ?', status)
      .add(before, height === undefined ? undefined : (ordinal ?? 0))
      .addTimes(parameters)
      .select('approval', 'height DESC, index DESC, ordinal DESC', limit);
  },
  shown: ({ height, created_at, index, round, voter, choice, weight, status }) => ({
    height: Number(height),
    index,
    round,
    voter,
    choice,
    weight: Number(weight),
    status,
    createdAt: time(created_at),
  }),
  place: ({ height, index, ordinal }) => `${Number(height)}.${Number(index)}.${Number(ordinal)}`,
};

const Transfers = Type.Object(
  {
    ...page(AT_NAME),
    id: Type.Optional(Text),
    direction: Type.Optional(
      Type.Union([Type.Literal('in'), Type.Literal('out')], { description: 'in or out' }),
    ),
    status: Type.Optional(
      Type.Union(
        ['open', 'released', 'refunded'].map((each) => Type.Literal(each)),
        { description: 'open, released or refunded' },
      ),
    ),
  },
  strict,
);

const bridgeTransfers: List = {
  name: 'bridge-transfers',
  description: 'Transfers over the bridge, newest first.',
  isOfChain: false,
  changes: true,
  parameters: Transfers,
  sql: (parameters) => {
    const { id, direction, status, cursor, limit } = parameters as Static<typeof Transfers>;
    const at = cursor?.indexOf('.') ?? -1;
    const height = Number(cursor?.slice(0, at) ?? 0);
    return new Where()
      .add('id = ?', id)
      .add('direction = ?', direction)
      .add('status = ?', status)
      .add(`(height, id) < (${height}, ?)`, at < 0 ? undefined : cursor!.slice(at + 1))
      .addTimes(parameters)
      .select('bridge_transfer', 'height DESC, id DESC', limit);
  },
  shown: ({ height, created_at, updated_at, outside_id, deadline, ...row }) => ({
    height: Number(height),
    ...row,
    outsideId: outside_id,
    deadline: time(deadline),
    createdAt: time(created_at),
    updatedAt: time(updated_at),
  }),
  place: ({ height, id }) => `${Number(height)}.${String(id)}`,
};

export const LISTS: readonly List[] = [
  transactions,
  blocks,
  consensusVotes,
  approvals,
  bridgeTransfers,
];
