/**
 * Transfers to and from a ledger outside: named attesters say what happens there. Who bears which risk
 * stands in docs/modules.md.
 */
import { configOf, defineModule, Type, type FillContext } from '../../module.ts';
import { assetNotBridged, isBridged, openAccounts, pay } from './funds.ts';
import { bridgeQueries } from './queries.ts';
import {
  AHEAD_MS_MAX,
  Asset,
  ASSETS_MAX,
  Attester,
  ATTESTERS_MAX,
  content,
  Deadline,
  events,
  Millis,
  OutsideId,
  Positive,
  Status,
  strict,
  tables,
  TransferId,
} from './rows.ts';
import { attestIn, attestOut, lock, settle } from './transfers.ts';

const KEEP_MS = 30 * 24 * 60 * 60 * 1000;

const Config = Type.Object(
  {
    attesters: Type.Array(Attester, { minItems: 1, maxItems: ATTESTERS_MAX, uniqueItems: true }),
    required: Type.Integer({ minimum: 1 }),
    /** Assets of the ledger, by their names there. */
    assets: Type.Array(Asset, { minItems: 1, maxItems: ASSETS_MAX, uniqueItems: true }),
    /** No less than a deadline may lie ahead (J5). */
    keepMs: Type.Optional(Type.Integer({ minimum: AHEAD_MS_MAX })),
  },
  strict,
);

const Attested = Type.Object(
  {
    transfer: TransferId,
    counted: Type.Boolean(),
    status: Status,
    attestations: Type.Integer(),
  },
  strict,
);

/** Without configuration nothing is bridged. */
function bridgeGenesis({ tables: { settings } }: FillContext<typeof tables>, json: unknown): void {
  const none = { attesters: [], required: 1, assets: [] };
  const config = json === undefined ? none : configOf('bridge', Config, json);
  if (config.required > Math.max(1, config.attesters.length)) {
    throw new Error('genesis: modules.bridge required: more than there are attesters');
  }
  settings.set('bridge', { keepMs: KEEP_MS, ...config });
}

export const bridge = defineModule({
  name: 'bridge',
  version: 1,
  description: 'Transfers to and from a ledger outside, for which named attesters speak.',
  tables,
  events,
  timers: ({ timer }) => ({
    refund: timer(
      { description: 'The deadline of a transfer has come.', args: Deadline },
      (context, { transfer }) => settle(context, transfer),
    ),
  }),
  commands: ({ command }) => ({
    enroll: command(
      {
        description: "Tells the sender's account with the bridge, and opens it if there is none.",
        args: Type.Object({ asset: Asset }, strict),
        result: Type.Object({ account: Type.String() }, strict),
      },
      (context, { asset }) => {
        if (!isBridged(context, asset)) return assetNotBridged();
        return openAccounts(context, asset);
      },
    ),

    withdraw: command(
      {
        description: "Moves an amount from the sender's account with the bridge to any account.",
        args: Type.Object({ asset: Asset, to: Type.String(), amount: Positive }, strict),
      },
      (context, { asset, to, amount }) => pay(context, asset, { from: context.sender, to, amount }),
    ),

    lock: command(
      {
        description:
          "Locks an amount of the sender's account with the bridge, to be paid to an address outside.",
        args: Type.Object({ ...content, deadline: Type.Optional(Millis) }, strict),
        result: Type.Object({ transfer: TransferId, deadline: Millis }, strict),
      },
      lock,
    ),

    attestOut: command(
      {
        description:
          'An attester says that the ledger outside holds an amount ready for a locked transfer.',
        args: Type.Object({ transfer: TransferId, ...content }, strict),
        result: Attested,
      },
      (context, { transfer, ...said }) => attestOut(context, transfer, said),
    ),

    attestIn: command(
      {
        description:
          'An attester says that the ledger outside has locked an amount for an account here.',
        args: Type.Object({ outsideId: OutsideId, ...content }, strict),
        result: Attested,
      },
      (context, { outsideId, ...said }) => attestIn(context, outsideId, said),
    ),

    settle: command(
      {
        description: 'Releases or refunds an open transfer if that is due; anybody may ask.',
        args: Type.Object({ transfer: TransferId }, strict),
      },
      (context, { transfer }) => settle(context, transfer),
    ),
  }),
  queries: bridgeQueries,
  refusals: {
    already_attested: 'The attester has spoken of the transfer.',
    account_not_found: 'The sender has not enrolled.',
    asset_not_bridged: 'The genesis document does not name the asset.',
    deadline_out_of_range: 'The deadline is more than 7 days ahead.',
    not_attested: 'Too few attesters have spoken for the transfer.',
    not_attester: 'The sender is not among the attesters.',
    not_enrolled: 'The bridge has no such account yet: `enroll` comes first.',
    outside_id_released: 'Another content of that outside id was released.',
    too_late: 'The deadline has come.',
    too_many_open: 'The attester was the first to name as many open transfers as it may.',
    transfer_ended: 'The transfer is decided.',
    transfer_not_found: 'There is no such transfer.',
  },
  genesis: bridgeGenesis,
});
