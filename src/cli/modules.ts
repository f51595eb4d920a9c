/**
 * A command for each built-in module, and in it one for each of its commands and queries, from their
 * declarations: arguments are options, and what they say of themselves is the help. A query that has the
 * name of a command is `get-<name>`.
 */
import { OptionalKind, type TSchema } from '@sinclair/typebox';
import { Command, Option } from 'commander';
import { builtInModules } from '../modules/built-in.ts';
import type { DefinedModule } from '../modules/define.ts';
import { jsonFormOf } from '../modules/schema.ts';
import { canonical, parsed, type Given } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { connectionOptions, withCluster } from './connection.ts';
import { jsonDescription } from './example.ts';
import { ask, withQueryOptions, type QueryFlags } from './get.ts';
import { withJournal } from './journal.ts';
import { sendCall } from './submit.ts';

interface Described {
  readonly description: string;
  readonly schema: TSchema;
}

/** By its name: a module may have commands of the command line besides (kv). */
export function moduleCommands(context: CommandContext): ReadonlyMap<string, Command> {
  return new Map(builtInModules.map((module) => [module.name, moduleCommand(context, module)]));
}

function moduleCommand(context: CommandContext, module: DefinedModule): Command {
  const command = new Command(module.name).description(module.description);
  for (const name of Object.keys(module.commandDefinitions)) {
    command.addCommand(commandOf(context, module, name));
  }
  for (const name of Object.keys(module.queryDefinitions)) {
    command.addCommand(queryOf(context, module, name));
  }
  return command;
}

function commandOf(context: CommandContext, module: DefinedModule, name: string): Command {
  const definition = module.commandDefinitions[name]!;
  const { command, args, taken } = withArguments(kebab(name), definition);
  if (!taken.has('wait')) command.option('--no-wait', 'do not wait until it is final');
  if (!taken.has('save')) {
    command.option('--save <file>', 'keep what was signed, to send it again after an interruption');
  }
  command.addHelpText('after', `\nSends a transaction.${refusalsText(module)}`);
  const connection = connectionOptions(command, 'signs', taken);
  return command.action(
    async (flags: Given & { readonly wait?: boolean; readonly save?: string }) => {
      const shape = { name: `${module.name} ${name}`, ...definition };
      const call = { module: module.name, command: name, args: canonical(shape, args(flags)) };
      const save = taken.has('save') ? undefined : flags.save;
      const wait = taken.has('wait') || flags.wait !== false;
      await withCluster(connection(flags), 'signs', (cluster) =>
        withJournal(save, (journal) => sendCall(context, cluster, call, journal, { wait })),
      );
    },
  );
}

function queryOf(context: CommandContext, module: DefinedModule, name: string): Command {
  const definition = module.queryDefinitions[name]!;
  const isTaken = Object.hasOwn(module.commandDefinitions, name);
  const word = isTaken ? `get-${kebab(name)}` : kebab(name);
  const { command, args, taken } = withArguments(word, definition);
  withQueryOptions(command);
  command.addHelpText('after', `\nReads what is final.${refusalsText(module)}`);
  const connection = connectionOptions(command, 'reads', taken);
  return command.action(async (flags: Given & QueryFlags) => {
    const shape = { name: `${module.name} ${name}`, ...definition };
    // Before any node is asked.
    canonical(shape, args(flags));
    const question = { module: module.name, query: name, args: args(flags) };
    await withCluster(connection(flags), 'reads', (cluster) =>
      ask(context, cluster, question, flags),
    );
  });
}

function refusalsText({ name, refusals }: DefinedModule): string {
  const codes = Object.entries(refusals);
  if (codes.length === 0) return '';
  const width = Math.max(...codes.map(([code]) => code.length));
  const lines = codes.map(([code, reason]) => `  ${code.padEnd(width)}  ${reason}`);
  return `\n\nWhat ${name} refuses:\n${lines.join('\n')}`;
}

/** An argument on the command line: as an option, and where any value fits, as JSON by another. */
interface Placed {
  readonly property: string;
  readonly option: Option;
  readonly json: Option | null;
}

/** A command with options for each argument, and what of its options is arguments. */
function withArguments(name: string, { description, schema }: Described) {
  const command = new Command(name).description(description);
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, TSchema>);
  const placed = properties.map(([property, each]) => placedOf(property, each));
  const options = [...placed.map(({ option }) => option), ...placed.map(({ json }) => json)];
  for (const option of options) if (option !== null) command.addOption(option);
  const taken = new Set(properties.map(([property]) => property));
  const args = (flags: Given): Given =>
    Object.fromEntries(placed.flatMap((each) => argumentIn(flags, each)));
  return { command, args, taken };
}

/** Its name and its value, if it is given. Throws UsageError. */
function argumentIn(
  flags: Given,
  { property, option, json }: Placed,
): (readonly [string, unknown])[] {
  const text = json === null ? undefined : flags[json.attributeName()];
  if (typeof text === 'string') return [[property, parsed(text, `${json!.long}`)]];
  const value = flags[option.attributeName()];
  return value === undefined ? [] : [[property, value]];
}

function placedOf(property: string, schema: TSchema): Placed {
  const flag = `--${kebab(property)}`;
  const isAny = jsonFormOf(schema) === 'value';
  const isFlag = schema['type'] === 'boolean';
  const sort = sortOf(schema);
  const about = isAny ? `text; ${flag}-json takes anything else` : descriptionOf(schema, sort);
  const option = new Option(`${flag} ${isFlag ? '[boolean]' : `<${sort}>`}`, about);
  const choices = choicesOf(schema);
  if (choices !== null) option.choices(choices);
  // Where there are two ways to give it, that it is missing is told by its schema.
  option.makeOptionMandatory(!isAny && !(OptionalKind in schema));
  if (!isAny) return { property, option, json: null };
  const json = new Option(`${flag}-json <json>`, descriptionOf(schema, sort));
  return { property, option, json: json.conflicts(option.attributeName()) };
}

function sortOf(schema: TSchema): string {
  const form = schema['x-json-form'] as string | undefined;
  if (form !== undefined)
    return { integer64: 'integer', bytes: 'hex', value: 'text' }[form] ?? form;
  if (schema['type'] === 'array' || schema['type'] === 'object') return 'json';
  if (schema['type'] === 'integer') return 'integer';
  return choicesOf(schema) === null ? 'text' : 'choice';
}

function descriptionOf(schema: TSchema, sort: string): string {
  if (schema.description !== undefined) {
    return sort === 'json'
      ? `${schema.description}: ${jsonDescription(schema)}`
      : schema.description;
  }
  const { minimum, maximum, minLength, maxLength } = schema as Readonly<
    Record<string, number | undefined>
  >;
  if (sort === 'json') return jsonDescription(schema);
  if (schema['type'] === 'boolean') return 'true or false; true where nothing follows';
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `from ${minimum} on`;
  if (maxLength !== undefined) return `${minLength ?? 0} to ${maxLength} characters`;
  return '';
}

/** Of a union of texts. */
function choicesOf(schema: TSchema): string[] | null {
  const members = schema['anyOf'] as readonly TSchema[] | undefined;
  const texts = members?.map((each) => each['const'] as unknown) ?? [];
  return texts.length > 0 && texts.every((each) => typeof each === 'string') ? texts : null;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
