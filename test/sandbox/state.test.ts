/** U4: modules that would remember something from one call to the next. */
import test from 'ava';
import { ScriptFault } from '../../src/modules/sandbox/load.ts';
import { type Call, load } from './module.ts';

const head = "import { define } from 'althing/module';";

/** Modules that do not load. */
const unloadable: Readonly<Record<string, string>> = {
  'a map': 'const m = new Map(); export const run = () => m.size;',
  'a set in an object': 'const m = { s: new Set() }; export const run = () => 1;',
  'an iterator': 'const i = [1, 2].values(); export const run = () => i.next().value;',
  'an iterator in an array':
    'const l = [[1, 2].entries()]; export const run = () => l[0].next().value[0];',
  'an iterator that an arrow holds':
    'const make = (i) => () => i.next().value; export const run = make([1, 2].keys());',
  bytes: 'const b = new Uint8Array(1); export const run = () => (b[0] += 1);',
  'a function called at once':
    'const f = (() => { let n = 0; return () => ++n; })(); export const run = f;',
  'a function with statements called':
    'function make() { let n = 0; return () => ++n; } const f = make(); export const run = f;',
  'a parameter that is assigned': 'const make = (n) => () => ++n; export const run = make(0);',
  'a default parameter':
    'const make = (n = 0) => () => { n += 1; return n; }; export const run = make();',
  'a function passed to the host':
    'export default define({ build: 1, made: ((n) => () => { n += 1; return n; })(0) });',
  'a map in an arrow': 'const make = (m) => () => m.set(1, 1); export const run = make(new Map());',
  'a callback of an array':
    'const l = [0].map((n) => { let m = n; return () => ++m; }); export const run = l[0];',
  'too many steps': `const l = [${'0,'.repeat(1000)}]; const f = (x) => l.map((y) => l.map((z) => z)); export const x = [f(l), f(l), f(l), f(l)].map(f);`,
  recursion: 'const f = (n) => (n === 0 ? 0 : f(n - 1)); export const x = f(100);',
  'recursion that doubles':
    'const f = (n) => (n === 0 ? 0 : f(n - 1) + f(n - 1)); export const x = f(40);',
};

for (const [name, text] of Object.entries(unloadable)) {
  test(`U4: refuses to load ${name}`, (t) => {
    const error = t.throws(() => load(`${head}${text}`), { any: true });
    t.true(error instanceof ScriptFault || (error as Error).name === 'Stopped', String(error));
  });
}

/** Modules whose run() tries to count its calls. */
const forgetful: Readonly<Record<string, string>> = {
  'an object': 'const s = { n: 0 }; export const run = () => (s.n += 1);',
  'an object below': 'const s = { t: [{ n: 0 }] }; export const run = () => (s.t[0].n += 1);',
  'an array': 'const s = []; export const run = () => s.push(1);',
  'an array that is sorted':
    'const s = [1, 2]; export const run = () => { s.sort(() => 1); return s[0]; };',
  'an array that is popped': 'const s = [1, 2]; export const run = () => s.pop();',
  'a function': 'export function run() { run.n = (run.n ?? 0) + 1; return run.n; }',
  'the prototype of a function':
    'function f() {} export const run = () => { f.prototype.n = (f.prototype.n ?? 0) + 1; return f.prototype.n; };',
  'a function expression':
    'export const run = function me() { me.n = (me.n ?? 0) + 1; return me.n; };',
  'a method': 'const o = { f() {} }; export const run = () => { o.f.n = 1; return 1; };',
  'a method of arrays': 'export const run = () => { [].map.n = 1; return 1; };',
  'a method of the engine': 'export const run = () => { "".at.n = 1; return 1; };',
  'a method of an iterator': 'export const run = () => { [].keys().next.n = 1; return 1; };',
  'a global': 'export const run = () => { const m = Math; m.n = 1; return 1; };',
  'a function of a global': 'export const run = () => { Object.keys.n = 1; return 1; };',
  'a callable global': 'export const run = () => { const m = Number; m.n = 1; return 1; };',
  'an import': 'export const run = () => { define.n = 1; return 1; };',
  'a captured parameter':
    'const make = (s) => () => (s.n += 1); export const run = make({ n: 0 });',
  'a captured member':
    'const make = ({ s }) => () => (s.n += 1); export const run = make({ s: { n: 0 } });',
  'the captured rest': 'const make = (...s) => () => s.push(1); export const run = make(1);',
  'a captured default':
    'const make = (s = { n: 0 }) => () => (s.n += 1); export const run = make();',
  'a prototype': 'export const run = () => { const p = "__pro" + "to__"; [][p].n = 1; return 1; };',
};

for (const [name, text] of Object.entries(forgetful)) {
  test(`U4: keeps nothing in ${name}`, (t) => {
    const module = load(`${head}${text}`);
    const outcome = (): string => {
      const ran = module.run(10_000, () => (module.exports['run'] as Call)());
      return ran.kind === 'threw' ? 'threw' : JSON.stringify(ran);
    };
    t.is(outcome(), 'threw');
    t.is(outcome(), 'threw');
  });
}

test('U4: declares with arrows, arrays and operators, and calls keep state of their own', (t) => {
  const text = `${head}
    const names = ['a', 'b'].map((name) => ({ name, key: name + '!' }));
    const unit = 10n ** 6n;
    const label = \`\${names.length} names\`;
    const table = Object.fromEntries(names.map((each) => [each.name, each]));
    export default define({ names, unit, label });
    export const run = () => { const seen = new Map(); let n = 0; for (const { key } of names) { seen.set(key, ++n); } return [...seen.values(), table.a.key]; };`;
  const module = load(text);
  const names = [
    { name: 'a', key: 'a!' },
    { name: 'b', key: 'b!' },
  ];
  t.deepEqual(module.exports['default'], { names, unit: 1_000_000, label: '2 names' });
  const run = module.exports['run'] as Call;
  for (let i = 0; i < 2; i++)
    t.like(
      module.run(1000, () => run()),
      { value: [1, 2, 'a!'] },
    );
});

test('U4: keeps nothing in a function that only the host holds', (t) => {
  const text = `${head} export default define({ run: function me() { me.n = 1; return 1; } });`;
  const module = load(text);
  const { run } = module.exports['default'] as { run: Call };
  t.is(module.run(1000, () => run()).kind, 'threw');
});

test('the digest is that of the source as it is written', (t) => {
  const digest = (text: string): string => load(text).digest;
  t.is(digest('export const a = 1;\n'), digest('export const a = 1;\n'));
  t.not(digest('export const a = 1;\n'), digest('export const a = 1; \n'));
});
