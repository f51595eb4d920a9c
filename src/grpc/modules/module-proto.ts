/**
 * The .proto file of a module: a method for each command and query, in two services, since a command
 * and a query may have one name, and a message for each event.
 */
import type { TSchema } from '@sinclair/typebox';
import type { DefinedModule } from '../../modules/define.ts';
import { numbered, numbersIn, type Numbers } from './numbers.ts';
import { shapeOf, type Shape } from './shape.ts';

const HEAD = `// Written by \`npm run generate\` from the declaration of the module: the numbers of fields that stand here
// are kept.
syntax = "proto3";
`;
const EVENT_FILE = 'althing/type/v1/event.proto';
const STRUCT = 'google/protobuf/struct.proto';
const LINE_MAX = 100;

/** Package of a module's services. */
export function packageOf(module: string): string {
  return `althing.module.${module.replaceAll('-', '_')}.v1`;
}

/** Path below the folder of .proto files. */
export function protoPath(module: string): string {
  return `althing/module/${module.replaceAll('-', '_')}/v1/${module.replaceAll('-', '_')}.proto`;
}

export function pascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** @param before the file as it was, whose numbers are kept; empty where there was none */
export function moduleProto(module: DefinedModule, before: string): string {
  const numbers = numbersIn(before);
  const commands = Object.entries(module.commandDefinitions);
  const queries = Object.entries(module.queryDefinitions);
  const events = Object.entries(module.eventDefinitions);
  const body = [
    ...service('Commands', module.description, commands, 'Command', 'Receipt'),
    ...service('Queries', module.description, queries, 'Query', 'Answer'),
    ...commands.flatMap(([name, { schema, result }]) => [
      ...message(numbers, `${pascal(name)}Command`, fieldsOf(schema)),
      ...message(numbers, `${pascal(name)}Receipt`, [...RECEIPT, ...resultOf(result)]),
    ]),
    ...queries.flatMap(([name, { schema, result }]) => [
      ...message(numbers, `${pascal(name)}Query`, fieldsOf(schema)),
      ...message(numbers, `${pascal(name)}Answer`, [...ANSWER, ...resultOf(result), PROOF]),
    ]),
    ...events.flatMap(([name, { description, schema }]) =>
      message(numbers, `${pascal(name)}Event`, fieldsOf(schema), comment(description, '')),
    ),
  ].join('\n');
  const imports = [
    ...(body.includes(EVENT) ? [EVENT_FILE] : []),
    ...(body.includes('google.protobuf.') ? [STRUCT] : []),
  ];
  return [
    HEAD,
    `package ${packageOf(module.name)};`,
    ...(imports.length === 0
      ? []
      : ['', ...imports.map((path) => `import ${JSON.stringify(path)};`)]),
    body,
    '',
  ].join('\n');
}

function service(
  name: string,
  about: string,
  members: readonly (readonly [string, { readonly description: string }])[],
  request: string,
  response: string,
): readonly string[] {
  if (members.length === 0) return [];
  const methods = members.flatMap(([each, { description }]) => {
    const method = pascal(each);
    return [
      ...comment(description, '  '),
      `  rpc ${method}(${method}${request}) returns (${method}${response});`,
    ];
  });
  return ['', ...comment(about, ''), `service ${name} {`, ...methods, '}'];
}

/** A field as it is written. */
interface Written {
  readonly name: string;
  readonly shape: Shape | typeof EVENT;
  readonly optional?: boolean;
  readonly description?: string | undefined;
}

const EVENT = 'althing.type.v1.Event';
const HEIGHT: Written = { name: 'height', shape: { kind: 'scalar', type: 'uint64' } };
/** What a receipt has beside the result, and an answer. */
const RECEIPT: readonly Written[] = [
  {
    name: 'id',
    shape: { kind: 'scalar', type: 'string' },
    description: '<submission id>-0: of the transaction',
  },
  HEIGHT,
  {
    name: 'exactly_once',
    shape: { kind: 'scalar', type: 'bool' },
    description: 'with an idempotency key in the metadata: a retry gives the same receipt',
  },
  { name: 'events', shape: EVENT },
];
const ANSWER: readonly Written[] = [
  { ...HEIGHT, description: 'that the result reflects; with a proof the certified height' },
];
const PROOF: Written = {
  name: 'proof',
  shape: { kind: 'scalar', type: 'bytes' },
  description: 'canonical bytes, where the metadata asks for them: `althing-proof: 1`',
};

/** The one field of a message for values that are no messages. */
export const WHOLE = 'arguments';

function fieldsOf(schema: TSchema): readonly Written[] {
  const shape = shapeOf(schema);
  if (shape.kind === 'message') return written(shape);
  return [{ name: WHOLE, shape }];
}

function resultOf(schema: TSchema | null): readonly Written[] {
  return schema === null ? [] : [{ name: 'result', shape: shapeOf(schema) }];
}

function written({ fields }: Extract<Shape, { kind: 'message' }>): readonly Written[] {
  return fields.map(({ protoName, ...field }) => ({ ...field, name: protoName }));
}

function message(
  numbers: Numbers,
  path: string,
  fields: readonly Written[],
  about: readonly string[] = [],
  indent = '',
): readonly string[] {
  const inner = `${indent}  `;
  const types = fields.map(({ name, shape }) => `${typeOf(name, shape)} ${name}`);
  const { numbers: given, reserved } = numbered(numbers, path, types);
  const lines = fields.flatMap((field, at) => [
    ...nested(numbers, path, field, inner),
    ...comment(field.description ?? '', inner),
    `${inner}${labelOf(field)}${types[at]} = ${given[at]};`,
  ]);
  const kept = reserved.length === 0 ? [] : [`${inner}reserved ${reserved.join(', ')};`];
  const name = path.split('.').at(-1);
  const start = indent === '' ? ['', ...about] : [];
  return fields.length === 0 && kept.length === 0
    ? [...start, `${indent}message ${name} {}`]
    : [...start, `${indent}message ${name} {`, ...kept, ...lines, `${indent}}`];
}

/** The message that a field's type is, within the one of the field. */
function nested(
  numbers: Numbers,
  path: string,
  { name, shape }: Written,
  indent: string,
): readonly string[] {
  if (shape === EVENT) return [];
  const inner = shape.kind === 'list' ? shape.item : shape;
  if (inner.kind !== 'message') return [];
  return message(numbers, `${path}.${messageName(name)}`, written(inner), [], indent);
}

function messageName(field: string): string {
  return field.split('_').map(pascal).join('');
}

/** proto3 has no presence for lists, and messages have it anyway. */
function labelOf({ shape, optional }: Written): string {
  return optional === true && shape !== EVENT && shape.kind !== 'list' ? 'optional ' : '';
}

function typeOf(field: string, shape: Written['shape']): string {
  if (shape === EVENT) return `repeated ${EVENT}`;
  switch (shape.kind) {
    case 'scalar':
    case 'integer64':
      return shape.type;
    case 'value':
      return 'google.protobuf.Value';
    case 'struct':
      return 'google.protobuf.Struct';
    case 'list':
      return `repeated ${typeOf(field, shape.item)}`;
    case 'message':
      return messageName(field);
  }
}

function comment(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > LINE_MAX)
      lines.push(`${indent}// ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
