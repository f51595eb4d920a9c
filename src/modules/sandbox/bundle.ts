/**
 * The files of realm/ as one script, for a context of its own: there, modules cannot be loaded. In
 * the order of their imports, each in a function of its own. The global objects that
 * they use are parameters, as the context's global object is emptied.
 */
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { type ImportDeclaration, parse } from 'acorn';
import { declaredBy } from './names.ts';

const FILES = [
  'meter',
  'operators',
  'names',
  'spreads',
  'text',
  'arrays',
  'numbers',
  'collections',
  'exchange',
  'lockdown',
  'realm',
];

const GLOBALS =
  `Array ArrayBuffer BigInt Boolean Error Function Map Math Number Object RangeError Reflect
  Set String Symbol TypeError Uint8Array WeakMap WeakSet`.split(/\s+/);

/** One file as a function that is called at once and returns what the file exports. */
function scopeOf(file: string): string {
  const text = readFileSync(new URL(`./realm/${file}.js`, import.meta.url), 'utf8');
  const { body } = parse(text, { ecmaVersion: 2023, sourceType: 'module' });
  const exported: string[] = [];
  const pieces = body.map((node) => {
    if (node.type === 'ImportDeclaration') return imported(node);
    if (node.type !== 'ExportNamedDeclaration') return text.slice(node.start, node.end);
    if (!node.declaration) return '';
    exported.push(...declaredBy(node).map(({ name }) => name));
    return text.slice(node.declaration.start, node.declaration.end);
  });
  const returned = `return {${exported.join(', ')}};`;
  return `const $${file} = (() => {${pieces.join('\n')}\n${returned}})();`;
}

function imported({ source, specifiers }: ImportDeclaration): string {
  const file = String(source.value).slice('./'.length, -'.js'.length);
  return `const {${specifiers.map(({ local }) => local.name).join(', ')}} = $${file};`;
}

let script: Script | undefined;

/** Evaluates to a function that takes the context's global object and returns its `Realm`. */
export function realmScript(): Script {
  if (script !== undefined) return script;
  const names = GLOBALS.join(', ');
  const files = FILES.map(scopeOf).join('\n');
  const code = `'use strict';(({${names}}) => {\n${files}\nreturn $realm.makeRealm(globalThis);})(globalThis)`;
  script = new Script(code, { filename: 'althing:realm' });
  return script;
}
