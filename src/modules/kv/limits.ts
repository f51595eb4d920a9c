/**
 * What a namespace may hold, from the genesis document's
 * `modules.kv`: `{valueBytesMax?, keysMax?, bytesMax?}`.
 */
import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { FillContext } from '../define.ts';
import { fromJson, Misfit, misfitOf } from '../from-json.ts';
import { strict, type LimitsRow, type Reads, type tables as kvTables } from './rows.ts';

const ROW = 'namespace';

/**
 * A value comes in a transaction, which `transactionBytesMax` bounds already. What is counted is the
 * canonical form of values and the UTF-8 of keys; a node needs several times that in memory.
 */
const DEFAULTS: LimitsRow = {
  valueBytesMax: 64 * 1024,
  keysMax: 10_000_000,
  bytesMax: 4 * 1024 ** 3,
};

const Config = Type.Object(
  Object.fromEntries(
    Object.keys(DEFAULTS).map((name) => [
      name,
      Type.Optional(Type.Integer({ minimum: 1, description: 'an integer from 1 on' })),
    ]),
  ),
  strict,
);
const config = TypeCompiler.Compile(Config);

export function kvGenesis({ tables }: FillContext<typeof kvTables>, json: unknown): void {
  if (json === undefined) return;
  const parsed = fromJson(Config, json, '', false);
  if (parsed instanceof Misfit) throw invalid(parsed);
  if (!config.Check(parsed)) throw invalid(misfitOf(config, parsed));
  tables.limits.set(ROW, { ...DEFAULTS, ...(parsed as Partial<LimitsRow>) });
}

function invalid({ field, message }: Misfit): Error {
  return new Error(`genesis: modules.kv ${field}: ${message}`);
}

export function limitsOf({ tables }: Pick<Reads, 'tables'>): LimitsRow {
  return tables.limits.get(ROW) ?? DEFAULTS;
}
