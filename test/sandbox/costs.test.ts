/** What single operations cost: by the worst that the engine may make of them, and before they are done. */
import process from 'node:process';
import test from 'ava';
import { type Call, load, result, runText } from './module.ts';

/** Two lengths whose product is about 2^31 or 2^32, where integers of 32 bits wrap. */
const WRAPPING: readonly (readonly [number, number])[] = [
  [65_536, 32_768],
  [65_536, 32_767],
  [92_682, 46_341],
  [100_000, 42_950],
  [131_072, 32_768],
  [131_072, 65_536],
];

for (const [all, part] of WRAPPING) {
  test(`U1: to look for ${part} units in ${all} costs what it may take`, (t) => {
    for (const method of ['indexOf', 'lastIndexOf', 'includes', 'split']) {
      const sought = `"a".repeat(${all}).${method}("b".repeat(${part}))`;
      const steps = (all * Math.min(part, all - part + 1)) / 32;
      const body = `export function run() { ${sought}; }`;
      t.deepEqual(runText(body, 1_000_000), { kind: 'stopped', reason: 'steps', steps: 1_000_000 });
      t.is(runText(body, Math.floor(steps)).kind, 'stopped');
    }
  });
}

for (const steps of [-1, -(2 ** 31), Number.NaN, 0.5, Infinity]) {
  test(`U1: ${steps} is no count of steps, and ends the call`, (t) => {
    const module = load('export const run = () => 1;');
    const ran = module.run(1000, () => module.charge(steps));
    t.deepEqual(ran, { kind: 'stopped', reason: 'steps', steps: 1000 });
  });
}

test('U1: a switch on long text costs the text times its cases', (t) => {
  const cases = (count: number): string => 'case r:'.repeat(count);
  const body = (count: number): string =>
    `const s = "a".repeat(1e6), r = "b"; switch (s) { ${cases(count)} } return 1;`;
  t.is(result(body(2)), 1);
  t.is(result(body(40)), 'stopped: steps');
});

/** Each would fill the memory, or take minutes, if it were paid for only once it is done. */
const atOnce: Readonly<Record<string, string>> = {
  'the rest of bytes': 'const u = new Uint8Array(3e7); const [...r] = u;',
  'the rest of text': 'const s = "x".repeat(3e7); const [...r] = s;',
  'the properties of bytes': 'const u = new Uint8Array(3e7); Object.keys(u);',
  'the values of bytes': 'const u = new Uint8Array(3e7); Object.values(u);',
  'the entries of bytes': 'const u = new Uint8Array(3e7); Object.entries(u);',
  'frozen bytes': 'const u = new Uint8Array(3e7); Object.assign({}, u);',
  'bytes spread in an object': 'const u = new Uint8Array(3e7); ({ ...u });',
  'text spread in an object': 'const s = "x".repeat(3e7); ({ ...s });',
  'the other properties of text': 'const s = "x".repeat(3e7); const { ...r } = s;',
  'the other properties of bytes': 'const u = new Uint8Array(3e7); const { x, ...r } = u;',
  'the pieces of a text': 'const s = "x".repeat(3e7); s.split("x");',
  'the units of a text': 'const s = "x".repeat(3e7); s.split("");',
};

for (const [name, body] of Object.entries(atOnce)) {
  test(`U1: pays for ${name} before they are there`, (t) => {
    const { maxRSS } = process.resourceUsage();
    t.is(result(body), 'stopped: steps');
    const taken = process.resourceUsage().maxRSS - maxRSS;
    t.true(taken < 150_000, `${taken} KiB`);
  });
}

test('U1: methods of arrays take no object that says how long it is', (t) => {
  for (const name of ['values', 'keys', 'entries', 'at']) {
    const object = `const o = { length: 2e8, ${name}: [].${name} };`;
    t.regex(String(result(`${object} const [...r] = o.${name}();`)), /method of arrays/);
    t.regex(String(result(`${object} for (const x of o.${name}());`)), /method of arrays/);
    t.regex(String(result(`const { ${name} } = []; ${name}();`)), /method of arrays/);
  }
  t.deepEqual(result('return [...[7, 8].keys(), ...[7].values(), ...[7].entries(), [7].at(-1)];'), [
    0,
    1,
    7,
    [0, 7],
    7,
  ]);
});

test('U1: a text is read for a number only where that is paid for', (t) => {
  const long = 'const s = "9".repeat(1e5);';
  for (const body of ['[1].at(s)', '"a".at(s)', '"a".charAt(s)', '"a".charCodeAt(s)']) {
    t.regex(String(result(`${long} return ${body};`)), /integer/);
  }
  t.regex(String(result(`${long} return "a".codePointAt(s);`)), /integer/);
  t.regex(String(result(`${long} return new Uint8Array(1).at(s);`)), /integer/);
  for (const write of ['u[0] = s', 'u[i] = s', 'u["0"] = s', 'u[0] += s', 'u[0] &&= s']) {
    const body = `${long} const u = new Uint8Array([1]), i = 0; ${write};`;
    t.regex(String(result(body)), /a byte is a number/, write);
  }
  t.regex(String(result(`${long} Object.assign(new Uint8Array(1), { 0: s });`)), /byte/);
  t.regex(String(result(`${long} new Uint8Array([s]);`)), /integer/);
});

test('an array has no holes, whatever a value does to it before it is written', (t) => {
  const body = 'const l = [1, 2, 3]; l[3] = (l.length = 1, 5); return l;';
  t.regex(String(result(body)), /no holes/);
  const l = 'const l = [1, 2], o = { n: 1, l };';
  t.deepEqual(
    result(`${l} l[2] = 7; l[2] += 1; l[0] ||= 9; l[1] &&= 5; l[3] ??= 6; return l;`),
    [1, 5, 8, 6],
  );
  t.deepEqual(
    result(`${l} o["n"] ??= 2; o.m ??= 3; o.l[0] = o["k" + 1] = 4; o.n += 1; return o;`),
    { k1: 4, l: [4, 2], m: 3, n: 2 },
  );
});

test('U1: what crosses the border costs each of its items, as often as it is copied', (t) => {
  const list = 'const l = Array.from({ length: 2000 }, (_, i) => i);';
  const many = 'const m = Array.from({ length: 2000 }, () => l);';
  const head = "import { none, twice } from 'althing/module';";
  const cost = (body: string): number => {
    const ran = runText(`${head} export function run(a) { ${list} ${body} }`, 1_000_000);
    return ran.kind === 'stopped' ? Infinity : ran.steps;
  };
  const nothing = cost('');
  t.true(cost('none(l);') >= nothing + 2000);
  t.true(cost('return l;') >= nothing + 2000);
  t.is(cost(`${many} none(m);`), Infinity);
  t.is(cost(`${many} return m;`), Infinity);
  t.is(cost('for (let i = 0; i < 1000; i++) none(l);'), Infinity);
  t.is(cost('for (let i = 0; i < 1000; i++) none({ l });'), Infinity);
  t.is(cost('for (let i = 0; i < 200; i++) twice(l);'), Infinity);
  const module = load('export const run = (a) => 1;');
  const given = Array.from({ length: 2000 }, (_, i) => i);
  const ran = module.run(10_000, () => (module.exports['run'] as Call)(given));
  t.true(ran.steps >= 2000);
});

test('U1: to read what the host gave copies nothing of what it did not give', (t) => {
  const head = "import { codeOf, refuse } from 'althing/module';";
  const list = 'const l = Array.from({ length: 2000 }, (_, i) => i);';
  const body = `${list} for (let i = 0; i < 100; i++) codeOf(l); return [codeOf(refuse('x')), codeOf(l), codeOf(() => 1), codeOf()];`;
  const ran = runText(`${head} export function run() { ${body} }`, 20_000);
  t.like(ran, { kind: 'done', value: ['x', null, null, null] });
});
