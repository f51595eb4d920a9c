/**
 * The ledger at height 0, from the genesis document's `modules.ledger`:
 * `{issuers?: ["key:…"], accounts?: [{account, owner, balance: "1000"}]}`.
 */
import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { FillContext } from '../define.ts';
import { fromJson, Misfit, misfitOf } from '../from-json.ts';
import { Amount } from '../schema.ts';
import { plus } from './amount.ts';
import { AccountName, Sender, SUPPLY, type tables as ledgerTables } from './rows.ts';

const Config = Type.Object(
  {
    issuers: Type.Optional(Type.Array(Sender)),
    accounts: Type.Optional(
      Type.Array(
        Type.Object(
          { account: AccountName, owner: Sender, balance: Amount },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
);
const config = TypeCompiler.Compile(Config);

export function ledgerGenesis({ tables }: FillContext<typeof ledgerTables>, json: unknown): void {
  const parsed = fromJson(Config, json ?? {}, '', false);
  if (parsed instanceof Misfit) throw invalid(parsed.field, parsed.message);
  if (!config.Check(parsed)) {
    const { field, message } = misfitOf(config, parsed);
    throw invalid(field, message);
  }
  for (const issuer of parsed.issuers ?? []) tables.issuers.set(issuer, true);
  let total: Amount = 0;
  for (const { account, owner, balance } of parsed.accounts ?? []) {
    if (tables.accounts.get(account) !== undefined) throw invalid(account, 'named twice');
    tables.accounts.set(account, { owner, balance });
    const sum = plus(total, balance);
    if (sum === null) throw invalid('accounts', 'the supply cannot exceed 2^63 - 1');
    total = sum;
  }
  tables.supply.set(SUPPLY, total);
}

function invalid(field: string, message: string): Error {
  return new Error(`genesis: modules.ledger ${field}: ${message}`);
}
