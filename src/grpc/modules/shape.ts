/**
 * A schema of a module as protobuf knows types. What protobuf cannot say (unions, lists of lists, maps
 * of anything) is a google.protobuf.Value or Struct, in the form that it has in JSON.
 */
import { OptionalKind, type TSchema } from '@sinclair/typebox';
import protobuf from 'protobufjs';
import { jsonFormOf } from '../../modules/schema.ts';

export type Scalar = 'string' | 'bool' | 'int64' | 'uint64' | 'bytes';

export type Shape =
  | { readonly kind: 'scalar'; readonly type: Scalar }
  /** As decimal text among values where a double would not hold it. */
  | { readonly kind: 'integer64'; readonly type: 'int64' | 'uint64' }
  | { readonly kind: 'value' }
  | { readonly kind: 'struct' }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'message'; readonly fields: readonly Field[] };

export interface Field {
  /** In values. */
  readonly name: string;
  /** In the .proto file. */
  readonly protoName: string;
  /** As protobufjs decodes it. */
  readonly key: string;
  readonly shape: Shape;
  /** May be left out; where values then have null, `nullable`. */
  readonly optional: boolean;
  readonly nullable: boolean;
  readonly description: string | undefined;
}

const VALUE: Shape = { kind: 'value' };
const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const INT63_MAX = 2n ** 63n - 1n;
/** Messages within one another; what lies deeper is a Value. protobufjs and protoc have bounds of their own. */
const LEVELS_MAX = 12;

export function shapeOf(schema: TSchema, level = 0): Shape {
  switch (jsonFormOf(schema)) {
    case 'integer64':
      return { kind: 'integer64', type: reachesBeyond63Bits(schema) ? 'uint64' : 'int64' };
    case 'bytes':
      return { kind: 'scalar', type: 'bytes' };
    case 'value':
      return VALUE;
    case undefined:
      return plainShape(schema, level);
  }
}

function plainShape(schema: TSchema, level: number): Shape {
  if (level > LEVELS_MAX) return VALUE;
  const members = schema['anyOf'] as readonly TSchema[] | undefined;
  if (members !== undefined) {
    const others = members.filter((each) => !isNull(each));
    return common(others.map((each) => shapeOf(each, level + 1)));
  }
  switch (schema['type']) {
    case 'string':
      return { kind: 'scalar', type: 'string' };
    case 'boolean':
      return { kind: 'scalar', type: 'bool' };
    case 'integer':
      return { kind: 'scalar', type: 'int64' };
    case 'array':
      return listOf(schema['items'] as TSchema | undefined, level);
    case 'object':
      return messageOf(schema, level);
    default:
      return VALUE;
  }
}

/** What all of them are; anything where they differ, or are messages. */
function common([first, ...rest]: readonly Shape[]): Shape {
  if (first === undefined) return VALUE;
  if (rest.length === 0) return first;
  const text = JSON.stringify(first);
  const same = first.kind === 'scalar' && rest.every((each) => JSON.stringify(each) === text);
  return same ? first : VALUE;
}

function listOf(items: TSchema | undefined, level: number): Shape {
  const item = items === undefined || isNullable(items) ? VALUE : shapeOf(items, level + 1);
  return { kind: 'list', item: item.kind === 'list' ? VALUE : item };
}

function messageOf(schema: TSchema, level: number): Shape {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, TSchema>);
  const isOpen = schema['patternProperties'] !== undefined;
  if (isOpen || !areFields(properties.map(([name]) => name))) return { kind: 'struct' };
  const fields = properties.map(([name, each]) => fieldOf(name, each, level + 1));
  return { kind: 'message', fields };
}

/**
 * Whether names can be those of fields: protobuf takes names that differ in capitals or underscores for
 * one, and its library those that every object has.
 */
function areFields(names: readonly string[]): boolean {
  const different = new Set(names.map((name) => name.replaceAll('_', '').toLowerCase()));
  const areFree = names.every((name) => IDENTIFIER.test(name) && !(name in Object.prototype));
  return areFree && different.size === names.length;
}

function fieldOf(name: string, schema: TSchema, level: number): Field {
  const protoName = name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const nullable = isNullable(schema);
  return {
    name,
    protoName,
    key: protobuf.util.camelCase(protoName),
    shape: shapeOf(schema, level),
    optional: OptionalKind in schema || nullable,
    nullable: nullable && !(OptionalKind in schema),
    description: schema.description,
  };
}

function isNullable({ anyOf }: TSchema): boolean {
  return (anyOf as readonly TSchema[] | undefined)?.some(isNull) ?? false;
}

function isNull({ type }: TSchema): boolean {
  return type === 'null';
}

function reachesBeyond63Bits({ anyOf = [] }: TSchema): boolean {
  return (anyOf as readonly TSchema[]).some(
    ({ exclusiveMaximum, maximum }) =>
      (typeof exclusiveMaximum === 'bigint' && exclusiveMaximum - 1n > INT63_MAX) ||
      (typeof maximum === 'bigint' && maximum > INT63_MAX),
  );
}
