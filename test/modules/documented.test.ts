/** docs/modules.md against what the modules declare. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import type { TSchema } from '@sinclair/typebox';
import { builtInModules } from '../../src/modules/built-in.ts';
import { sectionOf } from '../repository/docs.ts';
import { ROOT } from '../repository/sources.ts';

type Definitions = Readonly<Record<string, { readonly schema: TSchema }>>;

/** The words in code style of a cell. */
function words(cell = ''): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

/** The rows of the table whose first column is `kind`, as cells. */
function rowsOf(section: string, kind: string): readonly (readonly string[])[] {
  const table = section.split('\n\n').find((part) => part.startsWith(`| ${kind} `)) ?? '';
  const lines = table.split('\n').slice(2).filter(Boolean);
  return lines.map((line) => line.split('|').slice(1, -1));
}

function documented(section: string, kind: string): Readonly<Record<string, readonly string[]>> {
  const rows = rowsOf(section, kind).map(([name, args]) => [words(name)[0], words(args)] as const);
  return Object.fromEntries(rows);
}

/** The arguments of each, as the page writes them: `name`, or `name?` where it may be left out. */
function declared(definitions: Definitions): Readonly<Record<string, readonly string[]>> {
  const entries = Object.entries(definitions).map(([name, { schema }]) => {
    const required = (schema['required'] ?? []) as readonly string[];
    const names = Object.keys(schema['properties'] as object);
    return [name, names.map((each) => (required.includes(each) ? each : `${each}?`))] as const;
  });
  return Object.fromEntries(entries);
}

/** The codes that the module's source refuses with. */
function refusalCodes(module: string): readonly string[] {
  const folder = `${ROOT}src/modules/${module}`;
  const codes = readdirSync(folder).flatMap((file) => {
    const source = readFileSync(`${folder}/${file}`, 'utf8');
    return [...source.matchAll(/refuse\(\s*'(\w+)'/g)].map(([, code = '']) => code);
  });
  return [...new Set(codes)].toSorted();
}

for (const { name, commandDefinitions, queryDefinitions } of builtInModules) {
  const section = sectionOf('modules.md', `\`${name}\``);

  test(`the page lists every command of ${name} with its arguments`, (t) => {
    t.deepEqual(documented(section, 'command'), declared(commandDefinitions));
  });

  test(`the page lists every query of ${name} with its arguments`, (t) => {
    t.deepEqual(documented(section, 'query'), declared(queryDefinitions));
  });

  test(`the page lists every code with which ${name} refuses`, (t) => {
    const rows = [...rowsOf(section, 'command'), ...rowsOf(section, 'query')];
    const codes = new Set(rows.flatMap((cells) => words(cells.at(-1))));
    t.deepEqual([...codes].toSorted(), refusalCodes(name));
  });
}
