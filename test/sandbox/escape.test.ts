/** Scripts that reach for what is outside, or for what differs between machines. */
import { createContext, runInContext } from 'node:vm';
import test from 'ava';
import { realmScript } from '../../src/modules/sandbox/bundle.ts';
import { loadModuleSource, ScriptFault } from '../../src/modules/sandbox/load.ts';
import { type Call, load, Refusal, result, runText } from './module.ts';

test('U5: no function that makes code can be reached', (t) => {
  const name = '"con" + "structor"';
  for (const of of [
    '[]',
    '"x"',
    '1',
    '1n',
    '(() => 1)',
    '{}',
    'a',
    'a.list',
    'b',
    'Map',
    'Math.abs',
  ]) {
    const text = `const k = ${name}; const o = (${of}); return typeof o[k];`;
    t.true(
      ['undefined', 'the property `constructor` is not for modules'].some((each) =>
        String(result(text, { list: [1] }, new Uint8Array(1))).endsWith(each),
      ),
      of,
    );
  }
  for (const of of ['new Error("x")', 'new Map()', 'new Set()', 'new Uint8Array(1)', '[].keys()']) {
    t.is(result(`const k = ${name}; const o = ${of}; return typeof o[k];`), 'undefined', of);
  }
  t.regex(String(result(`const { [${name}]: c } = []; return typeof c;`)), /not for modules/);
  t.regex(String(result(`return typeof [[]]?.[0]?.[${name}];`)), /not for modules/);
  t.regex(String(result(`return typeof [[]].at(0)[${name}];`)), /not for modules/);
  t.is(result('const o = {}; o["constructor"] = 1; return o["constructor"];'), 1);
});

test('U5: errors of the engine and of the host show no object of the host', (t) => {
  const reach = 'typeof e["con" + "structor"] + typeof e.stack + typeof e["__proto__"]';
  for (const cause of ['null.x', 'a()', 'a.b.c', 'const q = 1; q = 2', 'f', 'twice(() => 1)']) {
    const ran = runText(
      `import { twice } from 'althing/module'; export function run(a) {
        try { ${cause}; const f = 1; } catch (e) { return ${reach}; } }`,
      1000,
      1,
    );
    t.like(ran, { kind: 'done', value: 'undefinedundefinedundefined' }, cause);
  }
});

test('U5: what the host throws is not caught by a script, and reaches the host', (t) => {
  const text = `import { fails } from 'althing/module';
    export function run() { try { fails(); } catch { return 1; } finally { return 2; } }`;
  const module = load(text);
  const run = module.exports['run'] as Call;
  t.throws(() => module.run(1000, () => run()), { message: 'of the host' });
  t.is(module.run(1000, () => 5).kind, 'done');
});

test('U3: a script sees nothing of the text of errors of the engine', (t) => {
  const seen = 'try { null.x } catch (e) { return [e.message, Object.keys(e)]; }';
  t.deepEqual(result(seen), ['not of the type that this needs', []]);
  t.is(
    result('try { const q = 1; q = 2; } catch (e) { return e.message; }'),
    'not of the type that this needs',
  );
  t.is(result('try { q; const q = 1; } catch (e) { return e.message; }'), 'failed');
});

test('U3: methods that differ between engines are absent', (t) => {
  const absent: Readonly<Record<string, string>> = {
    '"x"':
      'normalize localeCompare toLocaleUpperCase match matchAll search anchor valueOf link substr isWellFormed',
    '[]': 'toLocaleString copyWithin group toString',
    '1': 'toLocaleString toPrecision toExponential valueOf',
    '1n': 'toLocaleString valueOf',
    'new Map()': 'getOrInsert groupBy',
    'new Set()': 'union intersection',
    '[].values()': 'map take toArray reduce',
    'new Uint8Array(1)': 'buffer toHex setFromHex sort subarray byteOffset',
    '(() => 1)': 'call apply bind toString caller arguments',
    '{}': 'toString valueOf hasOwnProperty isPrototypeOf __defineGetter__ __lookupGetter__',
    'new Error("x")': 'stack toString',
  };
  for (const [of, names] of Object.entries(absent)) {
    for (const name of names.split(' ')) {
      t.is(result(`const o = (${of}); return typeof o.${name};`), 'undefined', `${of}.${name}`);
    }
  }
});

test('what scripts get is theirs: a copy, in the order of keys', (t) => {
  const given = { b: 1, a: [{ d: 1, c: new Uint8Array([1]) }] };
  const text = 'a.b = 5; a.a[0].c[0] = 9; a.a.push(1); return [Object.keys(a), a];';
  t.deepEqual(result(text, given), [
    ['a', 'b'],
    { b: 5, a: [{ d: 1, c: new Uint8Array([9]) }, 1] },
  ]);
  t.deepEqual(given, { b: 1, a: [{ d: 1, c: new Uint8Array([1]) }] });
});

test('imports: values, functions, and what is only passed on', (t) => {
  const text = `import { limits, twice, refuse, schema as s, define } from 'althing/module';
    const row = s({ type: 'row' });
    export default define({ row, build: ({ extra }) => ({ made: extra(row) }) });
    export function run(a) {
      if (a === 'refuse') return refuse('no');
      if (a === 'look') return Object.keys(refuse('no')).length;
      if (a === 'declare') return define({});
      return [limits.most, twice({ a })];
    }`;
  const module = load(text);
  const run = (of: unknown): unknown => module.run(1000, () => (module.exports['run'] as Call)(of));
  t.like(run(3), { value: [7, [{ a: 3 }, { a: 3 }]] });
  t.like(run('refuse'), { value: new Refusal('no') });
  t.like(run('look'), { value: 0 });
  t.like(run('declare'), { kind: 'threw', fault: { name: 'ScriptFault' } });
  const { row, build } = module.exports['default'] as { row: object; build: Call };
  t.deepEqual(row, { kind: 'schema', type: 'row' });
  t.throws(() => build({}), { message: /within run/ });
});

test('a builder runs while the module loads, with functions of the host', (t) => {
  const text = `import { build } from 'althing/module';
    export default build(({ command }) => ({ one: command('does', (context, n) => context.add(n)) }));`;
  const module = loadWith(text);
  const { one } = module.exports['default'] as { one: { does: string; run: Call } };
  let sum = 0;
  const context = module.port({ add: (n: number) => (sum += n) });
  t.like(
    module.run(1000, () => one.run(context, 5)),
    { kind: 'done', value: 5 },
  );
  t.like(
    module.run(1000, () => one.run({ add: 1 }, 5)),
    { kind: 'threw' },
  );
  t.is(sum, 5);
});

function loadWith(text: string) {
  const build = (builder: Call): unknown =>
    builder({ command: (does: string, run: Call) => ({ does, run }) });
  return loadModuleSource('module.js', text, { 'althing/module': { build } });
}

test('U6: a function of a module runs within run only', (t) => {
  const module = load('export const run = () => 1;');
  const run = module.exports['run'] as Call;
  t.throws(() => run(), { message: /within run\(\) only/ });
  t.like(
    module.run(10, () => run()),
    { kind: 'done', value: 1 },
  );
});

test('what a script throws is a fault with its name and text', (t) => {
  const fault = (body: string): string => {
    const ran = runText(`export function run() { ${body} }`);
    return ran.kind === 'threw' && ran.fault instanceof ScriptFault ? ran.fault.message : ran.kind;
  };
  t.is(fault('throw new TypeError("mine");'), 'TypeError: mine');
  t.is(fault('throw 5;'), 'threw what is no Error');
  t.is(fault('throw undefined;'), 'threw what is no Error');
  t.is(fault('throw { get: 1 };'), 'threw what is no Error');
  t.is(fault('const e = new Error("x"); e.message = {}; throw e;'), 'Error: without a message');
  t.regex(fault('null.x;'), /^TypeError: /);
});

test('U3: nothing is left in the global object of a context', (t) => {
  const context = createContext(Object.create(null) as object);
  realmScript().runInContext(context);
  for (const name of 'Array Date Function Math Object Promise Reflect globalThis'.split(' ')) {
    t.is(runInContext(`typeof ${name}`, context), 'undefined', name);
  }
});

test('I138: what a script hands over has its members in the order in which values are encoded', (t) => {
  const text = 'const r = { b: 1, a: { z: 1, y: [{ d: 1, c: 2 }] } }; r.A = 3; return r;';
  t.is(JSON.stringify(result(text)), '{"A":3,"a":{"y":[{"c":2,"d":1}],"z":1},"b":1}');
});
