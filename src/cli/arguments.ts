/**
 * Arguments as people write them, in canonical form by the schema of the command or the query: the same
 * conversion as at the edges of a node. `name=value` is text, spelled as in a query string, and
 * `name:=value` is JSON.
 */
import type { TSchema } from '@sinclair/typebox';
import type { Value } from '../../protocols/transaction/values.ts';
import { argsOf } from '../modules/args.ts';
import { Misfit } from '../modules/from-json.ts';
import { UsageError } from './command.ts';
import { jsonDescription } from './example.ts';
import type { Shape } from './shape.ts';

export type Given = Readonly<Record<string, unknown>>;
/** In `text` numbers and booleans may be spelled, and lists and objects are JSON. */
export type Form = 'text' | 'json';

const WORD = /^([A-Za-z][A-Za-z0-9]*)(:?)=([^]*)$/;

/** Words such as `amount=5` and `memo:="x"`, beside what `json` has. Throws UsageError. */
export function given(words: readonly string[], json: string | undefined): Given {
  const members = new Map<string, unknown>(json === undefined ? [] : Object.entries(object(json)));
  for (const word of words) {
    const [, name, isJson, text] = WORD.exec(word) ?? [];
    if (name === undefined || text === undefined) {
      throw new UsageError(`"${word}" is no argument: write name=value, or name:=JSON`);
    }
    if (members.has(name)) throw new UsageError(`the argument ${name} is given twice`);
    members.set(name, isJson === ':' ? parsed(text, `${name}:=`) : text);
  }
  return Object.fromEntries(members);
}

/** Throws UsageError that names the argument at fault. */
export function canonical(shape: Shape, args: Given, form: Form = 'text'): Value {
  const result = argsOf(shape, args, form === 'text');
  if (!(result instanceof Misfit)) return result.args;
  const { field, message } = result;
  const where = field === '' ? '' : `, argument ${field}`;
  throw new UsageError(`${shape.name}${where}: ${message}${adviceOn(shape, field)}`);
}

/** Of a part of a list or an object: what the whole looks like. */
function adviceOn({ schema }: Shape, field: string): string {
  const [name = ''] = field.split(/[.[]/);
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, TSchema>>;
  const of = Object.hasOwn(properties, name) ? properties[name]! : null;
  const isDeep = of?.['type'] === 'array' || of?.['type'] === 'object';
  return isDeep ? `; ${name} takes ${jsonDescription(of)}` : '';
}

/** As parameters of a URL, in which lists and objects are JSON. */
export function parameters(args: Given): Readonly<Record<string, string>> {
  const texts = Object.entries(args).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(texts) as Readonly<Record<string, string>>;
}

function object(text: string): object {
  const value = parsed(text, '--args');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError('--args takes a JSON object, such as \'{"account":"alice"}\'');
}

/** Throws UsageError. Integers that JSON.parse would round are refused by it. */
export function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text, exactly) as unknown;
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

function exactly(_name: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  throw new Error('a number has to be an integer of 53 bits; write larger ones as text');
}
