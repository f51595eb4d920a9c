/**
 * A schema as others read it: JSON Schema 2020-12 of the JSON that from-json.ts takes and that clients
 * are answered. What JSON has no type for (schema.ts) is described by the form that it has there.
 */
import type { TSchema } from '@sinclair/typebox';
import { JSON_FORM, jsonFormOf } from './schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** In a query string everything is text: there a 64-bit integer has one form only. */
export type Place = 'body' | 'query';

export function jsonSchemaOf(schema: TSchema, place: Place = 'body'): JsonSchema {
  const described = schema.description === undefined ? {} : { description: schema.description };
  switch (jsonFormOf(schema)) {
    case 'integer64':
      return { ...described, [JSON_FORM]: 'integer64', ...integer64(schema, place) };
    case 'bytes':
      return { ...described, [JSON_FORM]: 'bytes', ...bytes(schema) };
    case 'value':
      return described;
    case undefined:
      return converted(schema, place);
  }
}

function integer64(schema: TSchema, place: Place): JsonSchema {
  const number = (schema['anyOf'] as readonly TSchema[] | undefined)?.find(
    ({ type }) => type === 'integer',
  );
  const minimum = Number(number?.['minimum'] ?? Number.MIN_SAFE_INTEGER);
  const positive = '[1-9][0-9]{0,19}';
  const pattern =
    minimum > 0 ? `^${positive}$` : minimum === 0 ? `^(0|${positive})$` : `^(0|-?${positive})$`;
  const text = { type: 'string', pattern };
  if (place === 'query') return text;
  return { anyOf: [{ type: 'integer', minimum, maximum: Number.MAX_SAFE_INTEGER }, text] };
}

function bytes({ minByteLength = 0, maxByteLength }: TSchema): JsonSchema {
  return {
    type: 'string',
    pattern: '^([0-9a-f]{2})*$',
    minLength: 2 * Number(minByteLength),
    ...(maxByteLength === undefined ? {} : { maxLength: 2 * Number(maxByteLength) }),
  };
}

/** Keywords that hold a schema, a list of them, and schemas by name. */
const ONE = new Set(['items', 'additionalProperties', 'not', 'contains', 'propertyNames']);
const MANY = new Set(['anyOf', 'allOf', 'oneOf', 'prefixItems']);
const NAMED = new Set(['properties', 'patternProperties']);

function converted(schema: TSchema, place: Place): JsonSchema {
  const entries = Object.entries(schema).map(([keyword, value]) => [
    keyword,
    part(keyword, value, place),
  ]);
  const whole = Object.fromEntries(entries) as JsonSchema;
  return whole['type'] === 'integer' ? { ...SAFE_INTEGER, ...whole } : whole;
}

/** No value is an integer beyond these, unless it is one of 64 bits. */
const SAFE_INTEGER = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

function part(keyword: string, value: unknown, place: Place): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ONE.has(keyword)) return jsonSchemaOf(value as TSchema, place);
  if (MANY.has(keyword)) return (value as TSchema[]).map((each) => jsonSchemaOf(each, place));
  if (!NAMED.has(keyword)) return value;
  const members = Object.entries(value as Readonly<Record<string, TSchema>>);
  return Object.fromEntries(members.map(([name, each]) => [name, jsonSchemaOf(each, place)]));
}
