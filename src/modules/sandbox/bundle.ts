/**
 * The files of realm/ as one script, for a context of its own: there, modules cannot be loaded. In
 * the order of their imports, without `import` and `export`, in one scope. The global objects that
 * they use are parameters, as the context's global object is emptied.
 */
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { parse } from 'acorn';

const FILES = [
  'meter',
  'operators',
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

function bodyOf(name: string): string {
  const text = readFileSync(new URL(`./realm/${name}.js`, import.meta.url), 'utf8');
  const { body } = parse(text, { ecmaVersion: 2023, sourceType: 'module' });
  const pieces = body.map((node) => {
    if (node.type === 'ImportDeclaration') return '';
    const declared = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    return declared == null ? '' : text.slice(declared.start, declared.end);
  });
  return pieces.join('\n');
}

let script: Script | undefined;

/** Evaluates to a function that takes the context's global object and returns its `Realm`. */
export function realmScript(): Script {
  const names = GLOBALS.join(', ');
  script ??= new Script(
    `(({${names}}) => {'use strict';\n${FILES.map(bodyOf).join('\n')}\nreturn makeRealm(globalThis);})(globalThis)`,
    { filename: 'althing:realm' },
  );
  return script;
}
