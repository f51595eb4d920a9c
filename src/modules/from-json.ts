/**
 * Between JSON (or msgpack, or the text of a query string) and canonical values, by schema. Errors
 * name the field at fault, as a path such as `value.items[2]`.
 */
import { Kind, OptionalKind, type TSchema } from '@sinclair/typebox';
import { fromHex, isHex, toHex } from '../../protocols/bytes.ts';
import { normalInteger, utf8Length, type Value } from '../../protocols/transaction/values.ts';
import type { Checker } from './define.ts';
import { jsonFormOf } from './schema.ts';

const DECIMAL = /^(?:0|-?[1-9][0-9]{0,19})$/;
const DEPTH_MAX = 32;

/** The caller's mistake, at `field`; empty when it is the arguments as a whole. */
export class Misfit {
  readonly field: string;
  readonly message: string;

  constructor(field: string, message: string) {
    this.field = field;
    this.message = message;
  }
}

/** Why a value of the right form does not fit, by the part at fault. */
export function misfitOf(type: Checker, value: unknown): Misfit {
  const error = type.Errors(value).First();
  if (error === undefined) return new Misfit('', 'does not fit the schema');
  const field = error.path.slice(1).replaceAll('/', '.');
  return new Misfit(field, expected(error.schema) ?? error.message);
}

/** In the schema's words: those of the library would be a regular expression, or `union`. */
function expected({ description, pattern }: TSchema): string | undefined {
  if (description !== undefined) return `expected ${description}`;
  return pattern === undefined ? undefined : `expected text that matches ${String(pattern)}`;
}

/**
 * What `json` says, in the form that `schema` checks. Only forms are converted: whether the result
 * fits is the schema's to say. `text`: numbers and booleans may be spelled, and lists and objects are
 * JSON, as in query strings.
 */
export function fromJson(
  schema: TSchema,
  json: unknown,
  field: string,
  text: boolean,
): Value | Misfit {
  switch (jsonFormOf(schema)) {
    case 'integer64':
      return integerFrom(schema, json, field);
    case 'bytes':
      return bytesFrom(json, field);
    case 'value':
      return valueFrom(json, field, 0);
    case undefined:
      return plainFrom(schema, json, field, text);
  }
}

function plainFrom(schema: TSchema, json: unknown, field: string, text: boolean): Value | Misfit {
  if (schema[Kind] === 'Object' && isObject(json)) return objectFrom(schema, json, field, text);
  if (schema[Kind] === 'Array' && Array.isArray(json)) {
    const items: Value[] = [];
    for (const [at, each] of json.entries()) {
      const item = fromJson(schema['items'] as TSchema, each, `${field}[${at}]`, text);
      if (item instanceof Misfit) return item;
      items.push(item);
    }
    return items;
  }
  if (text && typeof json === 'string') return spelled(schema, json, field);
  return valueFrom(json, field, 0);
}

function spelled(schema: TSchema, json: string, field: string): Value | Misfit {
  if (schema[Kind] === 'Object' || schema[Kind] === 'Array') return parsed(schema, json, field);
  if (schema[Kind] === 'Integer' && DECIMAL.test(json)) return normalInteger(BigInt(json));
  if (schema[Kind] === 'Boolean' && (json === 'true' || json === 'false')) return json === 'true';
  return json;
}

function parsed(schema: TSchema, json: string, field: string): Value | Misfit {
  try {
    const value = JSON.parse(json) as unknown;
    if (typeof value === 'object') return fromJson(schema, value, field, false);
  } catch {
    // It is none.
  }
  return new Misfit(
    field,
    schema[Kind] === 'Array' ? 'expected a JSON list' : 'expected a JSON object',
  );
}

function objectFrom(
  schema: TSchema,
  json: Readonly<Record<string, unknown>>,
  field: string,
  text: boolean,
): Value | Misfit {
  const properties = schema['properties'] as Record<string, TSchema>;
  const members: Record<string, Value> = {};
  for (const [name, each] of Object.entries(json)) {
    const at = field === '' ? name : `${field}.${name}`;
    if (!Object.hasOwn(properties, name)) {
      return new Misfit(at, `unknown; expected ${Object.keys(properties).join(', ')}`);
    }
    if (each === undefined) continue;
    const member = fromJson(properties[name]!, each, at, text);
    if (member instanceof Misfit) return member;
    members[name] = member;
  }
  for (const [name, each] of Object.entries(properties)) {
    if (Object.hasOwn(members, name) || OptionalKind in each) continue;
    return new Misfit(field === '' ? name : `${field}.${name}`, 'missing');
  }
  return members;
}

function integerFrom(schema: TSchema, json: unknown, field: string): Value | Misfit {
  if (typeof json === 'bigint') return normalInteger(json);
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
  if (typeof json === 'string' && DECIMAL.test(json)) return normalInteger(BigInt(json));
  return new Misfit(field, expected(schema) ?? 'expected a 64-bit integer as decimal text');
}

function bytesFrom(json: unknown, field: string): Value | Misfit {
  if (json instanceof Uint8Array) return json;
  if (typeof json === 'string' && isHex(json, json.length / 2)) return fromHex(json);
  return new Misfit(field, 'expected bytes as lower-case hex');
}

/** Any JSON or msgpack value; refused where it has no canonical form. */
function valueFrom(json: unknown, field: string, depth: number): Value | Misfit {
  if (depth > DEPTH_MAX) return new Misfit(field, `more than ${DEPTH_MAX} levels deep`);
  switch (typeof json) {
    case 'number':
      if (!Number.isSafeInteger(json)) return new Misfit(field, 'not an integer of 53 bits');
      return json === 0 ? 0 : json;
    case 'bigint':
      return normalInteger(json);
    case 'string':
      return utf8Length(json) >= 0 ? json : new Misfit(field, 'text with a lone surrogate');
    case 'boolean':
      return json;
    case 'object':
      return membersFrom(json, field, depth);
    default:
      return new Misfit(field, 'not a value');
  }
}

function membersFrom(json: object | null, field: string, depth: number): Value | Misfit {
  if (json === null || json instanceof Uint8Array) return json;
  if (Array.isArray(json)) {
    const items: Value[] = [];
    for (const [at, each] of json.entries()) {
      const item = valueFrom(each, `${field}[${at}]`, depth + 1);
      if (item instanceof Misfit) return item;
      items.push(item);
    }
    return items;
  }
  const members: Record<string, Value> = {};
  for (const [name, each] of Object.entries(json)) {
    if (name === '__proto__') return new Misfit(field, 'the key __proto__ is reserved');
    const member = valueFrom(each, field === '' ? name : `${field}.${name}`, depth + 1);
    if (member instanceof Misfit) return member;
    members[name] = member;
  }
  return members;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof Uint8Array)
  );
}

/** A canonical value as JSON: bigint as decimal text, bytes as lower-case hex. */
export function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return (value as readonly Value[]).map(toJson);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]));
}
