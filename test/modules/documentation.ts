/**
 * What docs/modules.md says of each module that follows from its declaration, between the marks
 * `<!-- name -->` and `<!-- /name -->`. What stands around them is written by hand.
 */
import { OptionalKind, type TSchema } from '@sinclair/typebox';
import { format, resolveConfig } from 'prettier';
import type { DefinedModule } from '../../src/modules/define.ts';
import { ROOT } from '../repository/sources.ts';

export const PAGE = `${ROOT}docs/modules.md`;
/** Sections of new modules go in front of this one. */
const NEXT_SECTION = '\n## Refusals\n';

/** `page` with what is generated for each of the modules, as prettier writes it. */
export async function documented(page: string, modules: readonly DefinedModule[]): Promise<string> {
  let text = page;
  for (const module of modules) text = withModule(text, module);
  const options = await resolveConfig(PAGE);
  return format(text, { ...options, parser: 'markdown' });
}

function withModule(page: string, module: DefinedModule): string {
  const [start, end] = [`<!-- ${module.name} -->`, `<!-- /${module.name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  const block = [start, ...tablesOf(module), end].join('\n\n');
  if (from >= 0 && to > from) return page.slice(0, from) + block + page.slice(to + end.length);
  const at = page.indexOf(NEXT_SECTION);
  if (at < 0) throw new Error(`${PAGE} has no place for ${module.name}: write ${start} and ${end}`);
  const section = `\n## \`${module.name}\`\n\n${module.description}\n\n${block}\n`;
  return page.slice(0, at) + section + page.slice(at);
}

function tablesOf(module: DefinedModule): readonly string[] {
  const { commandDefinitions, queryDefinitions, eventDefinitions, tableDefinitions } = module;
  return [
    table(
      ['command', 'arguments', 'result', 'what it does'],
      Object.entries(commandDefinitions).map(([name, { schema, result, description }]) => [
        code(name),
        argumentsOf(schema),
        result === null ? 'none' : code(shapeOf(result)),
        description,
      ]),
    ),
    table(
      ['query', 'arguments', 'result', 'what it tells'],
      Object.entries(queryDefinitions).map(([name, { schema, result, description }]) => [
        code(name),
        argumentsOf(schema),
        code(shapeOf(result)),
        description,
      ]),
    ),
    table(
      ['event', 'data', 'when'],
      Object.entries(eventDefinitions).map(([name, { schema, description }]) => [
        code(name),
        code(shapeOf(schema)),
        description,
      ]),
    ),
    table(
      ['table', 'row', 'indexes', 'what it holds'],
      Object.entries(tableDefinitions).map(([name, { schema, indexes, description }]) => [
        code(name),
        code(shapeOf(schema)),
        Object.keys(indexes).map(code).join(', '),
        description,
      ]),
    ),
    table(
      ['refusal', 'why'],
      Object.entries(module.refusals).map(([name, why]) => [code(name), why]),
    ),
  ].filter((each) => each !== '');
}

/** Empty where there are no rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [head, head.map(() => '---'), ...rows].map(line).join('\n');
}

const code = (text: string): string => `\`${text}\``;

function argumentsOf(schema: TSchema): string {
  return membersOf(schema).map(code).join(', ');
}

/** `name`, or `name?` where it may be left out. */
function membersOf(schema: TSchema): readonly string[] {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, TSchema>>;
  return Object.entries(properties).map(([name, each]) =>
    OptionalKind in each ? `${name}?` : name,
  );
}

/** The names in it, as far as they go; a word where there are none. What has a title is told elsewhere. */
function shapeOf(schema: TSchema): string {
  if (typeof schema['title'] === 'string') return schema['title'];
  if (schema['type'] === 'object' && schema['properties'] !== undefined) {
    const properties = schema['properties'] as Readonly<Record<string, TSchema>>;
    const members = membersOf(schema).map((name) => {
      const inner = shapeOf(properties[name.replace('?', '')]!);
      return /^[[{]/.test(inner) ? `${name}: ${inner}` : name;
    });
    return `{${members.join(', ')}}`;
  }
  if (schema['type'] === 'array') return `[${shapeOf(schema['items'] as TSchema)}]`;
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  return schema['x-json-form'] === 'bytes' ? 'bytes' : wordOf(schema);
}

function wordOf(schema: TSchema): string {
  const { type, anyOf } = schema as { type?: unknown; anyOf?: readonly TSchema[] };
  if (schema['x-json-form'] === 'integer64') return 'integer';
  if (typeof type === 'string') return type;
  return anyOf === undefined ? 'any value' : anyOf.map(shapeOf).join(' or ');
}
