/**
 * What a node's OpenAPI document says of the commands and queries of its modules. A node may write anything
 * there: nothing of it is compiled into code, and what cannot be used throws whatever it comes to.
 */
import { Kind, OptionalKind, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { builtInModules } from '../modules/built-in.ts';
import type { Checker } from '../modules/define.ts';
import { JSON_FORM } from '../modules/schema.ts';
import { matchedByRe2 } from '../modules/user/patterns.ts';
import { UsageError } from './command.ts';
import { unknownMember, type Member, type Shape } from './shape.ts';

type Json = Readonly<Record<string, unknown>>;

export class OpenApiDeclarations {
  readonly #document: Json;
  readonly #shapes = new Map<string, Shape>();

  constructor(text: string) {
    const document: unknown = JSON.parse(text);
    this.#document = isJson(document) ? document : {};
  }

  /** Throws UsageError that names what there is. */
  shapeOf(asked: Member): Shape {
    const key = Object.values(asked).join(' ');
    const shape = this.#shapes.get(key) ?? shapeIn(this.#document, asked);
    this.#shapes.set(key, shape);
    return shape;
  }
}

function shapeIn(document: Json, asked: Member): Shape {
  const { sort, module, name } = asked;
  const shapes = sort === 'command' ? commandsIn(document) : queriesIn(document);
  const ofModule = shapes.filter(([id]) => id.startsWith(`${module}.`));
  const found = ofModule.find(([id]) => id === `${module}.${name}`);
  if (found !== undefined) {
    const schema = typed(found[1]);
    return { name: `${module} ${name}`, schema, type: checkerOf(schema) };
  }
  if (ofModule.length > 0) {
    const names = ofModule.map(([id]) => id.slice(module.length + 1));
    throw unknownMember(asked, names);
  }
  const names = new Set([
    ...builtInModules.map((each) => each.name),
    ...shapes.map(([id]) => id.split('.')[0]!),
  ]);
  throw new UsageError(`there is no module ${module}; there are ${[...names].join(', ')}`);
}

function commandsIn(document: Json): [string, Json][] {
  const schemas = member(member(document, 'components'), 'schemas');
  return Object.entries(schemas).flatMap(([name, schema]): [string, Json][] =>
    name.endsWith('.arguments') && isJson(schema)
      ? [[name.slice(0, -'.arguments'.length), schema]]
      : [],
  );
}

/** Their arguments are the parameters of their routes. */
function queriesIn(document: Json): [string, Json][] {
  return Object.values(member(document, 'paths')).flatMap((path): [string, Json][] => {
    const operation = member(isJson(path) ? path : {}, 'get');
    const [, id] = /^query\.([^.]+\.[^.]+)$/.exec(String(operation['operationId'])) ?? [];
    return id === undefined ? [] : [[id, parametersSchema(operation['parameters'])]];
  });
}

/** `consistency`, `proof` and the like, which every query takes, do no harm here. */
function parametersSchema(parameters: unknown): Json {
  const all = (Array.isArray(parameters) ? parameters : []).filter(isJson);
  const properties = all.map(({ name, schema, content }) => {
    const own =
      schema ?? member(member(isJson(content) ? content : {}, 'application/json'), 'schema');
    return [String(name), own];
  });
  const required = all.filter((each) => each['required'] === true).map(({ name }) => name);
  return { type: 'object', properties: Object.fromEntries(properties) as Json, required };
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'Object',
  array: 'Array',
  integer: 'Integer',
  boolean: 'Boolean',
  string: 'String',
  null: 'Null',
};

/** What has another form in JSON is checked as it is converted. */
function kindOf(schema: Json): string {
  if (Object.hasOwn(schema, JSON_FORM)) return 'Unknown';
  if (Object.hasOwn(schema, 'const')) return 'Literal';
  if (Array.isArray(schema['anyOf'])) return 'Union';
  return KINDS[String(schema['type'])] ?? 'Unknown';
}

/** A JSON Schema with the marks by which from-json.ts converts, and values are checked. */
function typed(schema: Json): TSchema {
  const kind = kindOf(schema);
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const properties = Object.entries(member(schema, 'properties')).map(([name, each]) => {
    const own = typed(isJson(each) ? each : {});
    return [name, required.has(name) ? own : { ...own, [OptionalKind]: 'Optional' }];
  });
  const choices = Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isJson) : [];
  return {
    ...schema,
    [Kind]: kind,
    ...(kind === 'Object' ? { properties: Object.fromEntries(properties) as unknown } : {}),
    ...(kind === 'Array' ? { items: typed(member(schema, 'items')) } : {}),
    ...(kind === 'Union' ? { anyOf: choices.map(typed) } : {}),
  } as unknown as TSchema;
}

function checkerOf(schema: TSchema): Checker {
  const matched = matchedByRe2(schema);
  return {
    Check: (value) => Value.Check(matched, value),
    Errors: (value) => Value.Errors(matched, value),
  };
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function member(object: Json, name: string): Json {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isJson(value) ? value : {};
}
