/**
 * Which modules the cluster runs, and from which height on. Validators sign upgrades; one that a quorum
 * of them has approved takes over with the block of its height (protocols/transaction/programs.ts).
 *
 * Y1. An upgrade is committed when a quorum of validators has approved the same module, version, digest
 *     and height, each signing for itself; from then on nothing changes it.
 * Y2. A validator has one open proposal for each module, the last that it approved, and at most OPEN_MAX for
 *     all; what can be committed no more goes with the next approvals. So proposals stay few.
 */
import { Type } from '@sinclair/typebox';
import { quorumOf } from '../../../protocols/quorum.ts';
import { refuse } from '../../../protocols/transaction/module.ts';
import { FAILURES, PROGRAMS_MODULE, upgradeKey } from '../../../protocols/transaction/programs.ts';
import { defineModule, event, table, type TablesOf } from '../define.ts';

/** Blocks between the quorum's approval and the upgrade: for nodes that have to be given the file. */
const NOTICE = 16;
/** Of one validator. */
const OPEN_MAX = 16;
/** Proposals whose height is too near, that one approval removes. */
const DROPPED_MAX = 16;
const strict = { additionalProperties: false };

const Height = Type.Integer({ minimum: 1, description: 'a height' });
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
const Proposed = Type.Object({ height: Height, ...program }, strict);
const Approvals = Type.Object(
  { ...program, approvals: Type.Array(Type.String()), height: Height },
  strict,
);
const Outcome = Type.Union([
  Type.Literal('waiting'),
  Type.Literal('active'),
  Type.Literal('failed'),
]);
/** What came of it, and why it failed. */
const came = {
  outcome: Outcome,
  reason: Type.Optional(Type.Union(FAILURES.map((each) => Type.Literal(each)))),
};
const Committed = Type.Object({ height: Height, ...program, ...came }, strict);

const tables = {
  upgrades: table(
    'By height, as 14 digits of hex: what takes over there, and what came of it.',
    Type.Object({ ...program, ...came }, strict),
  ),
  proposals: table(
    'By height, module, version and digest: the validators that have approved, by key.',
    Approvals,
    { byApprover: ({ name, approvals }) => approvals.map((each) => `${each}/${name}`) },
  ),
};
type Rows = TablesOf<typeof tables>;

/** Those that cannot be committed any more at `height`. */
function dropPassed({ proposals }: Rows, height: number): void {
  const { rows } = proposals.page({ limit: DROPPED_MAX });
  for (const [key, proposal] of rows) {
    if (proposal.height < height + NOTICE) proposals.delete(key);
  }
}

/** The validator approves another proposal for the module. */
function takeBack({ proposals }: Rows, validator: string, name: string): void {
  const [earlier] = proposals.pageBy('byApprover', {
    equals: `${validator}/${name}`,
    limit: 1,
  }).rows;
  if (earlier === undefined) return;
  const [key, proposal] = earlier;
  const approvals = proposal.approvals.filter((each) => each !== validator);
  if (approvals.length === 0) proposals.delete(key);
  else proposals.set(key, { ...proposal, approvals });
}

function openOf({ proposals }: Rows, validator: string): number {
  return proposals.pageBy('byApprover', { prefix: `${validator}/`, limit: OPEN_MAX }).rows.length;
}

export const programs = defineModule({
  name: PROGRAMS_MODULE,
  version: 1,
  description: 'Which modules the cluster runs, and from which height on.',
  tables,
  refusals: {
    not_validator: 'the sender is not the key of a validator',
    height_passed: `the height is not at least ${NOTICE} blocks ahead`,
    height_taken: 'another upgrade is committed for that height',
    already_approved: 'the sender has approved this upgrade before',
    too_many_proposals: `the sender has approved ${OPEN_MAX} upgrades that wait for others`,
  },
  events: {
    approved: event(
      'A validator approved an upgrade.',
      Type.Object({ validator: Type.String(), height: Height, ...program }, strict),
    ),
    committed: event('A quorum approved: the upgrade will take place.', Proposed),
  },
  commands: ({ command }) => ({
    approve: command(
      {
        description:
          'Approves that a module takes over at a height. Only for validators, who sign it with their own keys.',
        args: Proposed,
      },
      (context, args) => {
        const { tables: rows, sender, validators, emit } = context;
        const validator = sender.replace(/^key:/, '');
        if (!validators.some((key) => key === validator)) {
          return refuse('not_validator', 'the sender is not the key of a validator');
        }
        if (args.height < context.height + NOTICE) {
          return refuse(
            'height_passed',
            `the height must be ${context.height + NOTICE} or more, for others have to be ready`,
          );
        }
        const at = upgradeKey(args.height);
        if (rows.upgrades.get(at) !== undefined) {
          return refuse('height_taken', 'another upgrade is committed for that height');
        }
        const key = `${at}/${args.name}/${args.version}/${args.digest}`;
        const approvals = rows.proposals.get(key)?.approvals ?? [];
        if (approvals.includes(validator)) {
          return refuse('already_approved', 'the sender has approved this upgrade before');
        }
        dropPassed(rows, context.height);
        takeBack(rows, validator, args.name);
        if (openOf(rows, validator) >= OPEN_MAX) {
          return refuse(
            'too_many_proposals',
            `the sender has approved ${OPEN_MAX} upgrades that wait for others`,
          );
        }
        const all = [...approvals, validator];
        emit('approved', { validator, ...args });
        if (all.length < quorumOf(validators.length)) {
          rows.proposals.set(key, { ...args, approvals: all });
          return undefined;
        }
        const { name, version, digest } = args;
        rows.proposals.delete(key);
        rows.upgrades.set(at, { name, version, digest, outcome: 'waiting' });
        emit('committed', args);
        return undefined;
      },
    ),
  }),
  queries: ({ query }) => ({
    upgrades: query(
      {
        description: 'Upgrades that a quorum has approved, by height, from after `after` on.',
        args: Type.Object(
          {
            after: Type.Optional(Type.Integer({ minimum: 0 })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
          },
          strict,
        ),
        result: Type.Object(
          { upgrades: Type.Array(Committed), next: Type.Union([Height, Type.Null()]) },
          strict,
        ),
      },
      ({ tables: rows }, { after, limit = 100 }) => {
        const from = after === undefined ? undefined : upgradeKey(after);
        const page = rows.upgrades.page({ after: from, limit });
        return {
          upgrades: page.rows.map(([at, row]) => ({ height: heightOf(at), ...row })),
          next: page.next === null ? null : heightOf(page.next),
        };
      },
    ),

    proposals: query(
      {
        description: 'Upgrades that some validators have approved, and no quorum yet.',
        args: Type.Object({ after: Type.Optional(Type.String({ maxLength: 200 })) }, strict),
        result: Type.Object(
          {
            proposals: Type.Array(Approvals),
            next: Type.Union([Type.String(), Type.Null()]),
          },
          strict,
        ),
      },
      ({ tables: rows }, { after }) => {
        const page = rows.proposals.page({ after, limit: 100 });
        return { proposals: page.rows.map(([, row]) => row), next: page.next };
      },
    ),
  }),
});

function heightOf(key: string): number {
  return Number.parseInt(key, 16);
}
