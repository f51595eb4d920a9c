/** What `programs` stores and says: upgrades, proposals, and what becomes of them. */
import { Type, type Static } from '@sinclair/typebox';
import { FAILURES } from '../../../protocols/transaction/programs.ts';
import { event, table, type Context } from '../define.ts';

export const strict = { additionalProperties: false };
export const Height = Type.Integer({ minimum: 1, description: 'a height' });
const Validator = Type.String();
const program = {
  name: Type.String({
    pattern: '^[a-z][a-z0-9-]{0,31}$',
    description: '1 to 32 lower-case letters, digits and dashes, a letter first',
  }),
  version: Type.Integer({ minimum: 1 }),
  digest: Type.String({
    pattern: '^([0-9a-f]{64})?$',
    description: '64 digits of lower-case hex, or nothing for a module of the software itself',
  }),
};
export const Proposed = Type.Object({ height: Height, ...program }, strict);
export type Proposed = Static<typeof Proposed>;
export const Approvals = Type.Object(
  { ...program, approvals: Type.Array(Validator), height: Height },
  strict,
);
const committed = {
  ...program,
  outcome: Type.Union([Type.Literal('waiting'), Type.Literal('active'), Type.Literal('failed')]),
  reason: Type.Optional(Type.Union(FAILURES.map((each) => Type.Literal(each)))),
  withdrawals: Type.Array(Validator, {
    description: 'the validators that want it withdrawn, by key',
  }),
};
export const Committed = Type.Object({ height: Height, ...committed }, strict);

export const tables = {
  upgrades: table(
    'By height, as 14 digits of hex: what takes over there, and what came of it.',
    Type.Object(committed, strict),
  ),
  proposals: table(
    'By height, module, version and digest: the validators that have approved, by key.',
    Approvals,
    { byApprover: ({ name, approvals }) => approvals.map((each) => `${each}/${name}`) },
  ),
};

const Said = Type.Object({ validator: Validator, height: Height, ...program }, strict);
export const events = {
  approved: event('A validator approved an upgrade.', Said),
  committed: event('A quorum approved: the upgrade will take place.', Proposed),
  takenBack: event('A validator took back its approval, before a quorum had approved.', Said),
  opposed: event('A validator wants a committed upgrade withdrawn.', Said),
  withdrawn: event('A quorum wants it withdrawn: the upgrade will not take place.', Proposed),
};

export type Commands = Context<typeof tables, typeof events, never>;
