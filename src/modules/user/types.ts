/**
 * `Type`, `Amount`, `Bytes` and `AnyValue` as modules of users have them: the same schemas, made by
 * builders that take nothing but data that they know, and with a bound on what a check may cost.
 */
import { Type, type TSchema } from '@sinclair/typebox';
import { declares, Passed, type HostFunction, type Importable } from '../sandbox/load.ts';
import { Amount, AnyValue, Bytes } from '../schema.ts';
import { compilePattern } from './patterns.ts';

/** What a check of the schema may cost. */
export interface Weight {
  /** Schemas in it, each counted wherever it stands. */
  readonly nodes: number;
  /** How many schemas may look at one place of a value. */
  readonly width: number;
  /** Instructions of the largest pattern in it; 0 without one. */
  readonly program: number;
}

const NODES_MAX = 2000;
const WIDTH_MAX = 64;
const TEXT_MAX = 4096;
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** Names that objects of JavaScript have by themselves. */
const NAMES_TAKEN = new Set(['constructor', 'toString', 'valueOf', 'hasOwnProperty']);

const LEAF: Weight = { nodes: 1, width: 1, program: 0 };
const weights = new WeakMap<object, Weight>();
for (const schema of [Amount, AnyValue]) weights.set(schema, LEAF);

/** Throws an Error for what is no schema of these builders. */
export function weightOf(schema: unknown): Weight {
  const weight = typeof schema === 'object' && schema !== null ? weights.get(schema) : undefined;
  if (weight === undefined) throw new Error('expected a schema, made by `Type` of althing/module');
  return weight;
}

function weighed<S extends TSchema>(schema: S, parts: readonly unknown[], program = 0): S {
  const all = parts.map(weightOf);
  const side = schema['anyOf'] !== undefined;
  const widths = all.map(({ width }) => width);
  const weight = {
    nodes: 1 + all.reduce((sum, { nodes }) => sum + nodes, 0),
    width: side ? widths.reduce((sum, width) => sum + width, 1) : Math.max(1, ...widths),
    program: Math.max(program, ...all.map((each) => each.program)),
  };
  if (weight.nodes > NODES_MAX) throw new Error(`a schema has at most ${NODES_MAX} parts`);
  if (weight.width > WIDTH_MAX) {
    throw new Error(`at most ${WIDTH_MAX} alternatives, and those within them, for one place`);
  }
  weights.set(schema, weight);
  return schema;
}

// ------------------------------------------------------------------------------------- the options

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= TEXT_MAX;
const isInteger = Number.isSafeInteger;
const isCount = (value: unknown): boolean => isInteger(value) && (value as number) >= 0;
const isTruth = (value: unknown): boolean => typeof value === 'boolean';

type Options = Readonly<Record<string, unknown>>;
type Allowed = Readonly<Record<string, (value: unknown) => boolean>>;

const COMMON: Allowed = { title: isText, description: isText };

/** Throws an Error that names the option which is not there, or does not fit. */
function optionsOf(given: unknown, allowed: Allowed = {}): Record<string, unknown> {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Error('the options of a schema are an object');
  }
  const known = { ...COMMON, ...allowed };
  for (const [name, value] of Object.entries(given as Options)) {
    if (!Object.hasOwn(known, name)) {
      throw new Error(`a schema here has no option ${name}, but ${Object.keys(known).join(', ')}`);
    }
    if (!known[name]!(value)) throw new Error(`the option ${name} does not fit`);
  }
  return { ...given };
}

// ------------------------------------------------------------------------------------ the builders

function object(properties: unknown, options: unknown): TSchema {
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) {
    throw new Error('Type.Object takes an object of schemas');
  }
  for (const name of Object.keys(properties)) {
    if (NAME.test(name) && !NAMES_TAKEN.has(name)) continue;
    throw new Error(`a property ${JSON.stringify(name)}: letters, digits and _, a letter first`);
  }
  const parts = properties as Record<string, TSchema>;
  const given = optionsOf(options, {
    additionalProperties: isTruth,
    minProperties: isCount,
    maxProperties: isCount,
  });
  return weighed(Type.Object(parts, given), Object.values(parts));
}

function text(options: unknown): TSchema {
  const allowed = { minLength: isCount, maxLength: isCount, pattern: isText };
  const given = optionsOf(options, allowed);
  const { pattern } = given;
  const program = typeof pattern === 'string' ? compilePattern(pattern) : 0;
  return weighed(Type.String(given), [], program);
}

function literal(value: unknown, options: unknown): TSchema {
  if (!isText(value) && !isInteger(value) && !isTruth(value)) {
    throw new Error('Type.Literal takes text, an integer or a boolean');
  }
  return weighed(Type.Literal(value as string, optionsOf(options)), []);
}

function listed(name: string, parts: unknown): TSchema[] {
  if (Array.isArray(parts) && parts.length > 0) return parts as TSchema[];
  throw new Error(`Type.${name} takes an array of schemas`);
}

const RANGE = {
  minimum: isInteger,
  maximum: isInteger,
  exclusiveMinimum: isInteger,
  exclusiveMaximum: isInteger,
  multipleOf: (value: unknown) => isCount(value) && value !== 0,
};

const BUILDERS: Readonly<Record<string, (...args: readonly unknown[]) => TSchema>> = {
  Array: (items, options) => {
    weightOf(items);
    const given = optionsOf(options, { minItems: isCount, maxItems: isCount });
    return weighed(Type.Array(items as TSchema, given), [items]);
  },
  Boolean: (options) => weighed(Type.Boolean(optionsOf(options)), []),
  Integer: (options) => weighed(Type.Integer(optionsOf(options, RANGE)), []),
  Literal: literal,
  Null: (options) => weighed(Type.Null(optionsOf(options)), []),
  Object: object,
  Optional: (schema) => {
    const weight = weightOf(schema);
    const optional = Type.Optional(schema as TSchema);
    weights.set(optional, weight);
    return optional;
  },
  String: text,
  Tuple: (parts, options) => {
    const items = listed('Tuple', parts);
    items.forEach(weightOf);
    return weighed(Type.Tuple(items, optionsOf(options)), items);
  },
  Union: (parts, options) => {
    const of = listed('Union', parts);
    of.forEach(weightOf);
    // Of one alternative the library makes that alternative.
    const schema = of.length === 1 ? of[0]! : Type.Union(of, optionsOf(options));
    return of.length === 1 ? schema : weighed(schema, of);
  },
};

/** Whatever else the library has says at load that it is not there. */
function absent(name: string): HostFunction {
  return declares(() => {
    throw new Error(
      `Type.${name} is not for modules; there are ${Object.keys(BUILDERS).join(', ')}`,
    );
  });
}

const typeNames = Object.keys(Type).filter((name) => NAME.test(name));

/** What the imports of a module have of it. */
export const typeImports: Readonly<Record<string, Importable>> = {
  Type: {
    ...Object.fromEntries(typeNames.map((name) => [name, absent(name)])),
    ...Object.fromEntries(
      Object.entries(BUILDERS).map(([name, build]) => [name, declares(build as HostFunction)]),
    ),
  },
  Amount: new Passed(Amount),
  AnyValue: new Passed(AnyValue),
  Bytes: declares((max: unknown) => {
    if (!isCount(max)) throw new Error('Bytes takes how many there are at most');
    return weighed(Bytes(max as number), []);
  }),
};
