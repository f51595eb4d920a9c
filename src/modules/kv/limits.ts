/**
 * What a namespace may hold, from the genesis document's
 * `modules.kv`: `{valueBytesMax?, keysMax?, bytesMax?}`.
 */
import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { FillContext } from '../define.ts';
import { VALUE_DEPTH_MAX, type Value } from '../../../protocols/transaction/values.ts';
import { fromJson, Misfit, misfitOf } from '../from-json.ts';
import { strict, type LimitsRow, type Reads, type tables as kvTables } from './rows.ts';

const ROW = 'namespace';

/**
 * Levels of lists and objects in a value: what the deepest answer leaves, which is a range of a transaction in
 * a batch, `{results: [{txn: {results: [{range: {entries: [{value}]}}]}}]}`.
 */
export const VALUE_LEVELS_MAX = VALUE_DEPTH_MAX - 9;

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

/** Whether lists and objects stand in one another on more than `levels` levels. */
export function isDeeper(value: Value, levels: number): boolean {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return false;
  if (levels === 0) return true;
  return Object.values(value).some((each: Value) => isDeeper(each, levels - 1));
}

export function limitsOf({ tables }: Pick<Reads, 'tables'>): LimitsRow {
  return tables.limits.get(ROW) ?? DEFAULTS;
}
