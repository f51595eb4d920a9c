/** What lists and objects look like in JSON, by their schema: for help, and for who wrote another one. */
import type { TSchema } from '@sinclair/typebox';
import { jsonFormOf } from '../modules/schema.ts';

/** A longer one tells less than the documents do. */
const LENGTH_MAX = 100;

/** `a JSON list such as [{"voter":"key:…","weight":1}]` */
export function jsonDescription(schema: TSchema): string {
  const what = schema['type'] === 'array' ? 'a JSON list' : 'a JSON object';
  const text = JSON.stringify(exampleOf(schema));
  return text.length > LENGTH_MAX ? what : `${what} such as ${text}`;
}

function exampleOf(schema: TSchema): unknown {
  const form = jsonFormOf(schema);
  if (form !== undefined) return { integer64: '1', bytes: '00ff', value: '…' }[form];
  const { anyOf } = schema as { readonly anyOf?: readonly TSchema[] };
  if (anyOf?.[0] !== undefined) return exampleOf(anyOf[0]);
  if (schema['const'] !== undefined) return schema['const'];
  switch (schema['type']) {
    case 'array':
      return [exampleOf((schema['items'] ?? {}) as TSchema)];
    case 'object': {
      const properties = Object.entries((schema['properties'] ?? {}) as Record<string, TSchema>);
      return Object.fromEntries(properties.map(([name, each]) => [name, exampleOf(each)]));
    }
    case 'integer':
      return Math.max(1, Number(schema['minimum'] ?? 1));
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return String(schema['pattern']).includes('key:') ? 'key:…' : '…';
  }
}
