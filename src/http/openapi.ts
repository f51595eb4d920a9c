/**
 * The OpenAPI 3.1 document: from what the routes say of themselves and from the schemas of the modules,
 * by which arguments are checked. Nothing in it is written twice.
 */
import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { Type, type TSchema } from '@sinclair/typebox';
import { jsonSchemaOf, type JsonSchema, type Place } from '../modules/json-schema.ts';
import type { ModuleCatalog } from '../modules/catalog.ts';
import {
  OTHERS,
  PROBLEMS,
  type Answer,
  type Content,
  type Operation,
  type Parameter,
  type Problems,
  type SchemaOrName,
} from './operation.ts';
import { PROBLEM_TYPE } from './request.ts';
import type { Route } from './router.ts';
import { SCHEMAS } from './schemas.ts';

const SCHEMA_PATH = '#/components/schemas/';
const INTRODUCTION =
  'Transactions are put into one order and executed at every node; queries read what a node has ' +
  'executed. What is refused is answered with problem details (RFC 9457) and a stable `code`. ' +
  'Integers of 64 bits are decimal text in JSON, bytes lower-case hex; msgpack carries both as they ' +
  'are. A method that a path does not take is 405 `method_not_allowed`.';

/** @param version of the interface's package */
export function openApiDocument(
  routes: readonly Route[],
  catalog: ModuleCatalog,
  version: string,
): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  const responses: Record<string, JsonSchema> = {};
  for (const { method, path, operation } of routes) {
    if (operation === null) continue;
    const item = (paths[templateOf(path)] ??= {});
    item[method.toLowerCase()] = described(operation, responses);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Althing',
      version,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'this node' }],
    tags: tagsOf(routes, catalog),
    paths,
    components: {
      schemas: { ...converted(SCHEMAS), ...moduleSchemas(catalog) },
      responses,
      headers: HEADERS,
      securitySchemes: {
        apiToken: { type: 'http', scheme: 'bearer', description: 'the node’s API token' },
      },
    },
    'x-althing-events': eventsOf(catalog),
  };
}

/** `/a/:b` as `/a/{b}`. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

/** A schema that stands in `components.schemas`. */
export function referred(name: string): TSchema {
  return Type.Unsafe({ $ref: SCHEMA_PATH + name });
}

/** Names in `components.schemas`, from a module's name and that of the command, query or event. */
export const schemaName = {
  arguments: (module: string, command: string): string => `${module}.${command}.arguments`,
  transaction: (module: string, command: string): string => `${module}.${command}.transaction`,
  result: (module: string, query: string): string => `${module}.${query}.result`,
  event: (module: string, event: string): string => `${module}.${event}.event`,
};

function moduleSchemas({ modules }: ModuleCatalog): Readonly<Record<string, JsonSchema>> {
  const schemas: Record<string, JsonSchema> = {};
  for (const { name: module, ...defined } of modules) {
    for (const [name, { schema }] of Object.entries(defined.commandDefinitions)) {
      schemas[schemaName.arguments(module, name)] = jsonSchemaOf(schema);
      schemas[schemaName.transaction(module, name)] = transactionSchema(module, name, schema);
    }
    for (const [name, { result }] of Object.entries(defined.queryDefinitions)) {
      schemas[schemaName.result(module, name)] = jsonSchemaOf(result);
    }
    for (const [name, { schema }] of Object.entries(defined.eventDefinitions)) {
      schemas[schemaName.event(module, name)] = jsonSchemaOf(schema);
    }
  }
  return schemas;
}

/** A command as an item of `POST /api/v11/transactions`. */
function transactionSchema(module: string, command: string, args: TSchema): JsonSchema {
  const needed = ((args['required'] ?? []) as readonly string[]).length > 0 ? ['args'] : [];
  return {
    type: 'object',
    required: ['module', 'command', ...needed],
    additionalProperties: false,
    properties: {
      module: { const: module },
      command: { const: command },
      args: { $ref: SCHEMA_PATH + schemaName.arguments(module, command) },
    },
  };
}

function eventsOf({ modules }: ModuleCatalog): readonly object[] {
  return modules.flatMap(({ name: module, eventDefinitions }) =>
    Object.entries(eventDefinitions).map(([name, { description }]) => ({
      module,
      name,
      description,
      data: { $ref: SCHEMA_PATH + schemaName.event(module, name) },
    })),
  );
}

/** In the order in which the routes stand. */
function tagsOf(routes: readonly Route[], catalog: ModuleCatalog): readonly object[] {
  const names = new Set(routes.flatMap(({ operation }) => operation?.tag ?? []));
  return [...names].map((name) => {
    const description = catalog.named(name)?.description;
    return description === undefined ? { name } : { name, description };
  });
}

/** @param shared gets the responses that it refers to */
function described(operation: Operation, shared: Record<string, JsonSchema>): JsonSchema {
  const { id, tag, summary, description, parameters = [], body, answers, credential } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(parameterOf) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            description: body.description,
            required: true,
            content: contentOf(body.content),
          },
        }),
    responses: { ...answersOf(answers), ...problemsOf(operation, shared) },
    ...(credential === undefined
      ? {}
      : { security: [{ apiToken: [] }, ...(credential === 'token' ? [] : [{}])] }),
  };
}

function parameterOf({ name, in: at, description, required, schema }: Parameter): JsonSchema {
  const isRequired = required === true || at === 'path';
  const common = { name, in: at, description, ...(isRequired ? { required: true } : {}) };
  const shape = schemaOf(schema, 'query');
  // In a query string what is no text or number is JSON.
  return shape['type'] === 'object' || shape['type'] === 'array'
    ? { ...common, content: { 'application/json': { schema: schemaOf(schema, 'body') } } }
    : { ...common, schema: shape };
}

function contentOf(content: Content): JsonSchema {
  const entries = Object.entries(content).map(([type, schema]) => [
    type,
    schema === null ? {} : { schema: schemaOf(schema, 'body') },
  ]);
  return Object.fromEntries(entries) as JsonSchema;
}

function schemaOf(schema: SchemaOrName, place: Place): JsonSchema {
  return typeof schema === 'string' ? { $ref: SCHEMA_PATH + schema } : jsonSchemaOf(schema, place);
}

function converted(schemas: Readonly<Record<string, TSchema>>): Record<string, JsonSchema> {
  const entries = Object.entries(schemas).map(([name, each]) => [name, jsonSchemaOf(each)]);
  return Object.fromEntries(entries) as Record<string, JsonSchema>;
}

/** That every answer has, if only where it makes sense. */
const HEADERS = {
  'x-althing-node': { description: 'the node that answered', schema: { type: 'string' } },
  'x-althing-height': {
    description: 'the executed height that the answer reflects',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  'x-althing-age-ms': {
    description: 'how long ago the block of that height was made; absent for heights long past',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  traceparent: {
    description: 'as it came (W3C Trace Context)',
    schema: { type: 'string' },
  },
  'retry-after': { description: 'seconds', schema: { type: 'string', pattern: '^[0-9]+$' } },
} as const;

const EVERY_HEADER = Object.fromEntries(
  ['x-althing-node', 'x-althing-height', 'x-althing-age-ms', 'traceparent'].map((name) => [
    name,
    { $ref: `#/components/headers/${name}` },
  ]),
);
const RETRY = { 'retry-after': { $ref: '#/components/headers/retry-after' } };

function answersOf(answers: Readonly<Record<number, Answer>>): JsonSchema {
  const entries = Object.entries(answers).map(
    ([status, { description, content, headers = {} }]) => {
      const own = Object.entries(headers).map(([name, each]) => [
        name,
        { description: each, schema: { type: 'string' } },
      ]);
      const answer = {
        description,
        headers: { ...EVERY_HEADER, ...Object.fromEntries(own) },
        ...(content === undefined ? {} : { content: contentOf(content) }),
      };
      return [status, answer];
    },
  );
  return Object.fromEntries(entries) as JsonSchema;
}

/** One answer for each status, with all codes that may stand in it. */
function problemsOf(
  { problems = [], answers }: Operation,
  shared: Record<string, JsonSchema>,
): JsonSchema {
  const codes = new Map<string, Set<string>>();
  for (const set of [PROBLEMS.every as Problems, ...problems]) {
    for (const [status, each] of Object.entries(set)) {
      const known = codes.get(status) ?? new Set();
      codes.set(status, new Set([...known, ...(each as readonly string[])]));
    }
  }
  const clash = [...codes.keys()].find((status) => Object.hasOwn(answers, status));
  if (clash !== undefined) throw new Error(`${clash} is an answer and a problem of one route`);
  const entries = [...codes].map(([status, each]) => {
    const name = `${status}.${createHash('sha256')
      .update([...each].join())
      .digest('hex')
      .slice(0, 8)}`;
    shared[name] ??= problem(status, [...each]);
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return Object.fromEntries(entries) as JsonSchema;
}

function problem(status: string, all: readonly string[]): JsonSchema {
  const codes = all.filter((code) => code !== OTHERS);
  const listed = codes.map((code) => `\`${code}\``).join(', ');
  const others = codes.length < all.length ? ', and what a module that is called refuses' : '';
  const code = others === '' ? { enum: codes } : { type: 'string' };
  return {
    description: `${STATUS_CODES[status] ?? 'Error'}: ${listed}${others}`,
    headers: { ...EVERY_HEADER, ...RETRY },
    content: {
      [PROBLEM_TYPE]: {
        schema: {
          allOf: [
            { $ref: `${SCHEMA_PATH}Problem` },
            { type: 'object', properties: { status: { const: Number(status) }, code } },
          ],
        },
      },
    },
  };
}
