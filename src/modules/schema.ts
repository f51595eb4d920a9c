/**
 * Schemas for what JSON has no type for. One schema gives the TypeScript type, the check at execution,
 * the conversion from JSON (from-json.ts) and the OpenAPI schema (`jsonSchema`).
 */
import { Kind, Type, type Static, type TSchema } from '@sinclair/typebox';
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
  { [JSON_FORM]: 'integer64', description: 'an integer from 0 to 2^63 - 1, in decimal' },
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

/** The schema of the JSON form, as JSON Schema 2020-12 and so as OpenAPI 3.1 has it. */
export function jsonSchema(schema: TSchema): Record<string, unknown> {
  const { description } = schema;
  const described = description === undefined ? {} : { description };
  switch (jsonFormOf(schema)) {
    case 'integer64':
      return { type: 'string', pattern: '^(0|[1-9][0-9]{0,18})$', format: 'int64', ...described };
    case 'bytes':
      return { type: 'string', pattern: '^([0-9a-f]{2})*$', ...described };
    case 'value':
      return described;
    case undefined:
      return plainSchema(schema);
  }
}

function plainSchema(schema: TSchema): Record<string, unknown> {
  // Bounds in bigint belong to amounts, whose own form replaces them below.
  const text = JSON.stringify(schema, (_, each: unknown) =>
    typeof each === 'bigint' ? undefined : each,
  );
  const plain = JSON.parse(text) as Record<string, unknown>;
  if (schema[Kind] === 'Object') {
    const properties = Object.entries(schema['properties'] as Record<string, TSchema>);
    plain['properties'] = Object.fromEntries(
      properties.map(([name, each]) => [name, jsonSchema(each)]),
    );
  }
  if (schema[Kind] === 'Array') plain['items'] = jsonSchema(schema['items'] as TSchema);
  return plain;
}
