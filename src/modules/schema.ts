/**
 * Schemas for what JSON has no type for. One schema gives the TypeScript type, the check at execution
 * and the conversion from JSON (from-json.ts). A schema's `description` says in words what fits, and
 * completes the sentence `expected …` where a value does not.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import type { Value } from '../../protocols/transaction/values.ts';

/** Says how a schema's values are written in JSON. */
export const JSON_FORM = 'x-json-form';
export type JsonForm = 'integer64' | 'bytes' | 'value';

export const INT63_MAX = 2n ** 63n - 1n;

/**
 * An amount from 0 to 2^63 − 1: number where that is exact, else bigint; decimal text in JSON. The
 * compiled check writes its bounds as numbers, so only powers of two are safe there: 2^63, exclusive.
 */
export const Amount = Type.Union(
  [Type.Integer({ minimum: 0 }), Type.BigInt({ minimum: 0n, exclusiveMaximum: 2n ** 63n })],
  {
    [JSON_FORM]: 'integer64',
    description: 'an integer from 0 to 2^63 - 1, as decimal text such as "1000"',
  },
);
export type Amount = Static<typeof Amount>;

/** Bytes; lower-case hex in JSON. */
export function Bytes(maxByteLength: number): TSchema & { static: Uint8Array } {
  return Type.Uint8Array({ maxByteLength, [JSON_FORM]: 'bytes' });
}

/** Anything that has a canonical form: what a client stores for itself. */
export const AnyValue = Type.Unsafe<Value>(
  Type.Unknown({ [JSON_FORM]: 'value', description: 'any JSON value without fractions' }),
);

export function jsonFormOf(schema: TSchema): JsonForm | undefined {
  return schema[JSON_FORM] as JsonForm | undefined;
}

/** Who sends commands, as CommandContext.sender has it. */
export const Sender = Type.String({
  pattern: '^(key:[0-9a-f]{64}|(principal|module):[^\\u0000-\\u001f]{1,256})$',
  description:
    '`key:` and 64 digits of lower-case hex, or `principal:` or `module:` and a name of 1 to 256 characters',
});
