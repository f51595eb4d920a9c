/** Scripts that would run on, or take all memory, if one of the ways to do so were open. */
import test from 'ava';
import { type Call, load, result, runText } from './module.ts';

const STEPS = 200_000;

/** Bodies of a function that never come to their end. */
const endless: Readonly<Record<string, string>> = {
  'an empty loop': 'while (true);',
  'a loop of its head alone': 'for (;;);',
  'a loop that continues': 'a: for (;;) { for (;;) continue a; }',
  'a loop in catch (U2)': 'for (;;) try { for (;;); } catch {}',
  'a loop in finally (U2)': 'for (;;) try { for (;;); } finally { continue; }',
  'a return in finally (U2)':
    'const f = () => { try { for (;;); } finally { return 1; } }; for (;;) f();',
  'catch with a pattern (U2)': 'for (;;) try { for (;;); } catch ({ message }) {}',
  'recursion caught (U2)': 'const f = () => { try { f(); } catch { f(); } }; f(); for (;;);',
  'a comparison that throws (U2)': 'for (;;) try { [2, 1].sort(() => { for (;;); }); } catch {}',
  'a set that grows as it is walked': 'const s = new Set([1]); for (const x of s) s.add(x + 1);',
  'forEach of a set that grows': 'const s = new Set([1]); s.forEach((x) => s.add(x + 1));',
  'text that doubles': 'let s = "x"; for (;;) s += s;',
  'text that doubles in a template': 'let s = "x"; for (;;) s = `${s}${s}`;',
  'text that doubles by concat': 'let s = "x"; for (;;) s = s.concat(s);',
  repeat: 'for (;;) "x".repeat(1e5);',
  padStart: 'for (;;) "x".padStart(1e5);',
  padEnd: 'for (;;) "x".padEnd(1e5, "yz");',
  join: 'const l = Array.from({ length: 1000 }); for (;;) l.join("x".repeat(100));',
  replaceAll: 'const s = "a".repeat(1000); for (;;) s.replaceAll("a", s);',
  split: 'const s = "a".repeat(1000); for (;;) s.split("");',
  'indexOf with a bad pattern':
    'const s = "a".repeat(1e4), p = "b" + "a".repeat(5000); for (;;) s.indexOf(p);',
  lastIndexOf: 'const s = "a".repeat(1e4), p = "a".repeat(5000) + "b"; for (;;) s.lastIndexOf(p);',
  'comparison of long text': 'const s = "a".repeat(1e5), r = "a".repeat(1e5); for (;;) s === r;',
  'order of long text': 'const s = "a".repeat(1e5), r = "a".repeat(1e5); for (;;) s < r;',
  'switch on long text':
    'const s = "a".repeat(1e5), r = "a".repeat(1e5); for (;;) switch (s) { case r: }',
  'a map with long keys': 'const m = new Map(), s = "a".repeat(1e5); for (;;) m.get(s + "b");',
  'numbers of long text': 'const s = "0".repeat(1e5); for (;;) Number(s);',
  'parseInt of long text': 'const s = "1".repeat(1e5); for (;;) Number.parseInt(s);',
  toLowerCase: 'const s = "A".repeat(1e5); for (;;) s.toLowerCase();',
  trim: 'const s = " ".repeat(1e5); for (;;) s.trim();',
  'spread in an array': 'let l = [1]; for (;;) l = [...l, ...l];',
  'spread of text': 'const s = "x".repeat(1e5); for (;;) [...s];',
  'spread of an iterator':
    'const m = new Map(Array.from({ length: 1e4 }, (_, i) => [i, i])); for (;;) [...m.keys()];',
  'spread in an object':
    'const o = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => ["k" + i, i])); for (;;) ({ ...o });',
  'the rest of an object':
    'const o = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => ["k" + i, i])); for (;;) { const { x, ...r } = o; }',
  'the rest of an array':
    'const l = Array.from({ length: 1e4 }); for (;;) { const [x, ...r] = l; }',
  'the rest of bytes': 'const u = new Uint8Array(1e4); for (;;) { const [x, ...r] = u; }',
  'the rest of an iterator':
    'const l = Array.from({ length: 1e4 }); for (;;) { const [x, ...r] = l.values(); }',
  concat: 'let l = [1]; for (;;) l = l.concat(l);',
  flatMap: 'const l = Array.from({ length: 1000 }); for (;;) l.flatMap(() => l);',
  slice: 'const l = Array.from({ length: 1e4 }); for (;;) l.slice();',
  shift: 'const l = Array.from({ length: 1e4 }); for (;;) { l.shift(); l.push(1); }',
  unshift: 'const l = []; for (;;) l.unshift(1);',
  'a native function in map':
    'const l = Array.from({ length: 1e4 }, () => 1); for (;;) l.map(Math.abs);',
  includes: 'const l = Array.from({ length: 1e4 }); for (;;) l.includes(1);',
  fill: 'const l = Array.from({ length: 1e4 }); for (;;) l.fill(0);',
  'Array.from': 'for (;;) Array.from({ length: 1e4 });',
  'Array.from without end': 'Array.from({ length: 1e15 });',
  bytes: 'for (;;) new Uint8Array(1e5);',
  'Object.keys':
    'const o = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => ["k" + i, i])); for (;;) Object.keys(o);',
  'Object.assign':
    'const o = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => ["k" + i, i])); for (;;) Object.assign({}, o);',
  'objects that reserve room': 'const l = []; for (;;) { const o = {}; o[1000] = 1; l.push(o); }',
  'objects of numbers as text':
    'const l = []; for (;;) { const o = {}; o["1000"] = 1; l.push(o); }',
  'literals that reserve room': 'const l = []; for (;;) l.push({ 1000: 1 });',
  'copies that reserve room': 'const o = {}; o[1000] = 1; const l = []; for (;;) l.push({ ...o });',
  'functions of toString': 'const o = { toString: () => { for (;;); } }; return {}[o];',
};

for (const [name, body] of Object.entries(endless)) {
  test(`U1: stops ${name}`, (t) => {
    const text = `export function run() { ${body} }`;
    const ran = runText(text, STEPS);
    if (ran.kind === 'stopped') t.is(ran.steps, STEPS);
    else if (ran.kind === 'threw') t.regex(ran.fault.message, /text or a number|array/);
    else t.fail('came to an end');
  });
}

test('U1: stops what is too deep, at the same depth whatever the frames are', (t) => {
  const deep = (n: string): string =>
    `const f = (n) => (n === 0 ? 0 : 1 + f(n - 1)); return f(${n});`;
  t.is(result(deep('250')), 250);
  t.is(result(deep('256')), 'stopped: depth');
  t.is(result(deep('1e9')), 'stopped: depth');
  const locals = Array.from({ length: 300 }, (_, i) => `v${i} = n`).join(', ');
  t.is(
    result(`const f = (n) => { let ${locals}; return f(n + 1); }; return f(0);`),
    'stopped: depth',
  );
  const spread = 'const l = Array.from({ length: 250 }); const f = (...r) => f(...l); return f();';
  t.is(result(spread), 'stopped: depth');
  t.is(result('const f = () => [1].map(f); return f();'), 'stopped: depth');
  t.is(result('const f = () => [2, 1].sort(f); return f();'), 'stopped: depth');
  t.is(result('const f = (x) => "a".replace("a", f); return f();'), 'stopped: depth');
  t.is(
    result('const o = { toString: () => o[o] }; return o[o];'),
    'TypeError: the name of a property is text or a number',
  );
});

/** Bodies that throw where they would take too much at once. */
const throwing: readonly (readonly [string, RegExp])[] = [
  ['let x = 3n; for (;;) x = x * x;', /1024 bits/],
  ['let x = 3n; for (;;) x += x;', /1024 bits/],
  ['let x = 3n; for (;;) x -= -x;', /1024 bits/],
  ['return 2n ** 100000n;', /0 to 1024/],
  ['return 1n << 1000000000n;', /1024 bits/],
  ['return 1n >> -1000000000n;', /1024 bits/],
  ['return BigInt.asUintN(1e9, -1n);', /0 to 1024/],
  ['return BigInt("9".repeat(2000));', /1030 digits/],
  ['return BigInt(1e308) * BigInt(1e308);', /1024 bits/],
  ['return "x".repeat(2 ** 30);', /2\^28|stopped/],
  ['const l = []; l[4e9] = 1;', /no holes/],
  ['const l = []; l["4000000"] = 1;', /is a number/],
  ['const l = []; l.length = 4e9;', /only be lowered/],
  ['const l = []; l["length"] = 4e9;', /is a number/],
  ['const l = []; Object.assign(l, { length: 4e9 });', /is a number/],
  ['const l = []; l[-1] = 1;', /no holes/],
  ['const l = []; l.x = 1; l["x"] = 1;', /is a number/],
  ['const f = (...x) => x.length; return f(...Array.from({ length: 251 }));', /250/],
  ['const o = { map: [].map, length: 4e9 }; o.map((x) => x);', /method of arrays/],
  ['const o = { repeat: "".repeat }; o.repeat(5);', /takes text/],
  ['const { push } = []; push(1);', /method of arrays/],
  ['return [..."ab"].join({ toString: () => "x" });', /takes text/],
  ['return "a" + {};', /no text/],
  ['return `${[1]}`;', /no text/],
  ['return String(() => 1);', /no text/],
  ['return "5" * 2;', /two numbers/],
  ['return [] - 1;', /two numbers/],
  ['return { valueOf: () => 1 } > 0;', /order/],
  ['let s = "1"; s++;', /number or a bigint/],
  ['return +"5";', /Number/],
  ['return 2 ** 0.5;', /integers/],
  ['return 10 ** 400;', /safe integer/],
  ['return (0.1).toString(2);', /only integers/],
  ['return "É".toLowerCase();', /ASCII/],
  ['return [3, 1].sort();', /text/],
  ['return "a".replace("a", "$&");', /function/],
  ['return [[[1]]].flat(Infinity);', /one level/],
  ['return new Uint8Array(2 ** 31);', /length/],
  ['return Number.prototype.x;', /undefined|not there/],
  ['return 1n / 0n;', /zero/],
];

for (const [body, reason] of throwing) {
  test(`throws at ${body}`, (t) => {
    const text = (() => {
      try {
        return String(result(body));
      } catch (error) {
        return String(error);
      }
    })();
    t.regex(text, reason);
  });
}

test('U1: depth counts the size of frames', (t) => {
  const locals = Array.from({ length: 300 }, (_, i) => `v${i} = n`).join(', ');
  const wide = `const f = (n) => { let ${locals}; return n === 0 ? 0 : f(n - 1); };`;
  t.is(result(`${wide} return f(15);`), 0);
  t.is(result(`${wide} return f(30);`), 'stopped: depth');
  t.is(result('const f = (n) => (n === 0 ? 0 : f(...[n - 1])); return f(60);'), 'stopped: depth');
  t.is(result('const f = (n) => (n === 0 ? 0 : f(...[n - 1])); return f(40);'), 0);
});

test('U2: a host that goes on after the end of a call is told so again', (t) => {
  const module = load('export const run = () => { for (;;); }; export const one = () => 1;');
  const { run, one } = module.exports as Record<string, Call>;
  const swallow = (): unknown => {
    try {
      return run!();
    } catch {
      return 5;
    }
  };
  const stopped = { kind: 'stopped', reason: 'steps', steps: 1000 } as const;
  t.deepEqual(module.run(1000, swallow), stopped);
  t.deepEqual(
    module.run(1000, () => [swallow(), one!()]),
    stopped,
  );
  t.like(
    module.run(1000, () => one!()),
    { kind: 'done', value: 1 },
  );
});

test('U1: what a script returns is paid for as it is read', (t) => {
  const doubling = 'let x = [1]; for (let i = 0; i < 30; i++) x = [x, x]; return x;';
  t.is(result(doubling), 'stopped: steps');
  t.regex(String(result('const x = []; x[0] = x; return x;')), /32 levels/);
  t.regex(String(result('return { a: { b: 1.5 } };')), /b is no integer/);
  t.regex(String(result('return { a: undefined };')), /a is undefined: leave it out/);
  t.regex(String(result('return new Map();')), /no plain object/);
  t.regex(String(result('return () => 1;')), /is a function/);
  t.regex(String(result('return "\\ud800";')), /surrogate/);
  t.regex(String(result('return 2n ** 64n;')), /64 bits/);
  t.regex(String(result('const o = {}; o["__proto__"] = 1; return o;')), /bad key/);
  t.is(Object.is(result('return -0;'), 0), true);
  t.is(result('return 5n;'), 5);
  t.is(result('return 2n ** 63n;'), 2n ** 63n);
});
