/**
 * Which modules the cluster runs, and from which height on. Validators sign upgrades; one that a quorum
 * of them has approved takes over with the block of its height (protocols/transaction/programs.ts).
 *
 * Y1. An upgrade is committed when a quorum of validators has approved the same module, version, digest
 *     and height, each signing for itself; from then on nothing but Y3 changes it.
 * Y2. A validator has one open proposal for each module, the last that it approved, and at most OPEN_MAX for
 *     all; what can be committed no more goes with the next approvals. So proposals stay few.
 * Y3. A quorum, each signing for itself, withdraws a committed upgrade in the blocks before its height,
 *     and in none from there on. Then it never was: what is approved anew is counted anew. Of what a
 *     validator says of an upgrade the last counts, as long as no quorum has said the same.
 */
import { Type } from '@sinclair/typebox';
import {
  PROGRAMS_MODULE,
  upgradeHeight,
  upgradeKey,
} from '../../../protocols/transaction/programs.ts';
import { defineModule } from '../define.ts';
import { approve, refusals, withdraw } from './ballots.ts';
import { Approvals, Committed, events, Height, Proposed, strict, tables } from './rows.ts';

export const programs = defineModule({
  name: PROGRAMS_MODULE,
  version: 1,
  description: 'Which modules the cluster runs, and from which height on.',
  tables,
  refusals,
  events,
  commands: ({ command }) => ({
    approve: command(
      {
        description:
          'Approves that a module takes over at a height. Only for validators, who sign it with their own keys.',
        args: Proposed,
      },
      approve,
    ),
    withdraw: command(
      {
        description:
          'Asks that a committed upgrade be withdrawn before its height, or takes back an approval of one that is not committed. Only for validators, who sign it with their own keys.',
        args: Proposed,
      },
      withdraw,
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
          upgrades: page.rows.map(([at, row]) => ({ height: upgradeHeight(at), ...row })),
          next: page.next === null ? null : upgradeHeight(page.next),
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
