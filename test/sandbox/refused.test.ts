import test from 'ava';
import { SourceError } from '../../src/modules/sandbox/load.ts';
import { load } from './module.ts';

/** What stands in a function, and a part of the reason why not. */
const inFunctions: readonly (readonly [string, string])[] = [
  ['async () => 1', 'synchronous'],
  ['(function* () {})', 'generators'],
  ['import("x")', 'import at the top'],
  ['import.meta', 'import.meta'],
  ['this.x', '`this`'],
  ['class A {}', 'classes'],
  ['new (class {})()', '`new` is for'],
  ['/a+/.test("a")', 'regular expressions'],
  ['tag`x`; function tag() {}', 'tagged templates'],
  ['for (const k in {}) {}', 'Object.keys'],
  ['var x = 1', '`var`'],
  ['debugger', '`debugger`'],
  ['({ get x() { return 1; } })', 'getters'],
  ['({ set x(v) {} })', 'getters'],
  ['({ __proto__: null })', '__proto__'],
  ['a.__proto__', '__proto__'],
  ['[].constructor', 'constructor'],
  ['const { constructor } = a', 'constructor'],
  ['const { constructor: c } = a', 'constructor'],
  ['const { "constructor": c } = a', 'constructor'],
  ['a == b', '==='],
  ['a != 1', '!=='],
  ['a instanceof b', 'instanceof'],
  ['new a()', '`new` is for'],
  ['new Map(...a)', 'spread'],
  ['const $$m = 1', 'reserved'],
  ['$$m.left = 9', 'reserved'],
  ['const Map = 1', 'rename'],
  ['(undefined) => 1', 'rename'],
  ['const eval = 1', 'eval'],
  ['(p = f()) => p; function f() {}', 'default'],
  ['(p = a + b) => p', 'default'],
  ['({ [a]: p }) => p', 'default'],
  ['(p = () => p) => p', 'default'],
  ['(p = a[b]) => p', 'default'],
  ['[a.length] = [4e9]', 'variable'],
  ['[a[9]] = [1]', 'variable'],
  ['({ x: a.y } = b)', 'variable'],
  ['for (a.x of b) {}', 'variable'],
  ['[a, ...b] = [1, 2]', 'declaration'],
  ['([x, ...r]) => r', 'declaration'],
  ['({ x: { ...r } }) => r', 'declaration'],
  ['(...[x, ...r]) => r', 'declaration'],
  ['function f({ x: [...r] }) {}', 'declaration'],
  ['const { x: [...r] } = a', 'declaration'],
  ['const [[...r], x] = a', 'declaration'],
  ['const [...[...r]] = a', 'declaration'],
  ['const [x = 1, [...r] = []] = a', 'declaration'],
  ['for (const [x, ...r] of a) {}', 'declaration'],
  ['for (const { x, ...r } of a) {}', 'declaration'],
  ['try {} catch ({ message, ...r }) {}', 'declaration'],
  ['({ ...b } = a)', 'declaration'],
  ['a.length++', 'length'],
  ['a.length += 5', 'length'],
  ['a.length ||= 5', 'length'],
  ['Math = a', 'no variable'],
  ['undefined = a', 'no variable'],
  ['[NaN] = a', 'no variable'],
  ['Number++', 'no variable'],
  ['for (Map of a) {}', 'no variable'],
  ['run = a', 'no variable'],
  ['({ run } = a)', 'no variable'],
  ['let q = () => { f ??= a; }; function f() {}', 'no variable'],
  ['a = { process }', 'process'],
  ['Math.random()', 'Math.random'],
  ['Math.sin(1)', 'Math.sin'],
  ['Object.defineProperty(a, "x", {})', 'Object.defineProperty'],
  ['Object.getPrototypeOf(a)', 'Object.getPrototypeOf'],
  ['Array.fromAsync([])', 'Array.fromAsync'],
  ['Object.groupBy([], a)', 'Object.groupBy'],
  ['Error.captureStackTrace(a)', 'Error.captureStackTrace'],
  ['String.raw', 'String.raw'],
  ...[
    'Date process require globalThis eval Function Promise Proxy Reflect Symbol JSON console fetch',
    'setTimeout queueMicrotask structuredClone Intl WeakMap WeakRef FinalizationRegistry Atomics',
    'SharedArrayBuffer ArrayBuffer Float64Array DataView WebAssembly RegExp Iterator Buffer arguments',
    'escape decodeURIComponent isNaN parseInt undeclared module exports global',
  ]
    .join(' ')
    .split(' ')
    .map((name) => [`${name}.x`, name] as const),
];

/** Whole modules. */
const modules: readonly (readonly [string, string])[] = [
  ['let n = 0;', '`const`'],
  ['export let n = 0;', '`const`'],
  ['const f = () => 1; f();', 'declares'],
  ['for (const x of [1]) {}', 'declares'],
  ['if (true) {}', 'declares'],
  ['{ const x = 1; }', 'declares'],
  ['export function f() { f = 1; }', 'no variable'],
  ['export default function f() { f = 1; }', 'no variable'],
  [
    'import { define } from "althing/module"; export const f = () => { define = 1; };',
    'no variable',
  ],
  ['await 1;', '`await`|declares'],
  ['import fs from "node:fs";', 'default imports'],
  ['import { readFileSync } from "node:fs";', 'import from althing/module'],
  ['import { nothing } from "althing/module";', 'has no `nothing`'],
  ['import { __proto__ as p } from "althing/module";', '__proto__'],
  ['import * as all from "althing/module";', 'by name'],
  ['import x from "./x.json" with { type: "json" };', 'attributes|Unexpected|default'],
  ['export * from "althing/module";', 'declares'],
  ['export { define } from "althing/module";', 'one file'],
  ['const = 4;', 'Unexpected'],
  ['export const a = 1; export const a = 2;', 'already'],
  [`export const x = ${'('.repeat(5000)}1${')'.repeat(5000)};`, 'nested|deep'],
  [`export const x = ${'['.repeat(150)}${']'.repeat(150)};`, 'nested'],
  [`export const x = ${'9'.repeat(400)}n;`, '1024 bits'],
  ['//'.repeat(300_000), 'bytes'],
];

for (const [text, reason] of inFunctions) {
  test(`refuses ${text.slice(0, 60)}`, (t) => {
    const error = t.throws(() => load(`export function run(a, b) {\n  ${text};\n}`), {
      instanceOf: SourceError,
    });
    t.true(error.message.includes(reason), error.message);
    t.is(error.line, 2);
    t.true(error.message.startsWith(`module.js:2:${error.column}: `), error.message);
  });
}

for (const [text, reasons] of modules) {
  test(`refuses a module with ${text.slice(0, 60)}`, (t) => {
    const error = t.throws(() => load(text), { instanceOf: SourceError });
    t.true(
      reasons.split('|').some((reason) => error.message.includes(reason)),
      error.message,
    );
  });
}

test('names the place of what it refuses, in TypeScript too', (t) => {
  const text =
    'type A = { a: number };\nexport const f = (a: A): number => Date.now() as number;\n';
  const error = t.throws(() => load(text, 'dir/module.ts'), { instanceOf: SourceError });
  t.is(
    error.message,
    'dir/module.ts:2:36: `Date` is not there for modules: the time is in the context',
  );
  const syntax = t.throws(() => load('enum A { x }', 'module.ts'), { instanceOf: SourceError });
  t.regex(syntax.message, /^module.ts:1:1: TypeScript enum/);
});
