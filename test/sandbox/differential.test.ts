/** Random programs do the same in the sandbox as outside of it. */
import test from 'ava';
import fc from 'fast-check';
import { type Call, load } from './module.ts';

const NUMBERS = ['x', 'y', 'z'];
const name = fc.constantFrom(...NUMBERS);
const gap = fc.constantFrom('', ' ', '\n', ' /* gap */ ', ' // gap\n ');

interface Tiers {
  number: string;
  text: string;
  list: string;
  truth: string;
  statement: string;
}

/** Pieces joined by gaps. */
function seq(...parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> {
  const all = parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part));
  return fc
    .tuple(fc.array(gap, { minLength: all.length, maxLength: all.length }), fc.tuple(...all))
    .map(([gaps, texts]) => texts.map((text, at) => text + gaps[at]).join(''));
}

const programs = fc.letrec<Tiers>((tie) => {
  const number = tie('number') as fc.Arbitrary<string>;
  const text = tie('text') as fc.Arbitrary<string>;
  const list = tie('list') as fc.Arbitrary<string>;
  const truth = tie('truth') as fc.Arbitrary<string>;
  const statement = tie('statement') as fc.Arbitrary<string>;
  const operator = fc
    .constantFrom('+', '-', '*', '%', '&', '|', '^', '<<', '>>', '>>>', '/')
    .map((each) => ` ${each} `);
  return {
    number: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      name,
      fc.integer({ min: 0, max: 99 }).map(String),
      seq('(', number, operator, number, ')'),
      seq('(', number, operator, ' ', number, operator, ' ', number, ')'),
      seq('(-', '(', number, ')', ')'),
      seq('~', '(', number, ')'),
      seq('(', truth, '?', number, ':', number, ')'),
      seq(list, '.length'),
      seq('(', list, '[', number, '] ?? ', number, ')'),
      seq('(', list, ')', '.reduce((s, v) => s +', number, ', 0)'),
      seq('o', '?.', 'n'),
      seq('o[', text, '] ?? 1').map((each) => `(${each})`),
      seq('(x += ', number, ')'),
      seq('(o.n -= ', number, ')'),
      fc.constantFrom('x++', '--y', 'o.n++', 'f(x)', 'o["n"]++', '(o["k" + 1] ??= 3)'),
      seq('((p, { q = 3 } = {}, ...r) => p + q + r.length)(', number, ', {}, ', number, ')'),
      seq('(', number, ',', number, ')'),
    ),
    text: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom("'a'", '"bc"', 't', '`n`', "'n'"),
      seq('(', text, '+', text, ')'),
      seq('(', text, '+', number, ')'),
      seq('`<${', number, '}${', text, '}>`'),
      seq('(', text, ')', '.slice(', number, ' & 3)'),
      seq('[', text, ',', text, '].join(', text, ')'),
      seq('(', text, ')', '.split(', text, ').length + ""').map((each) => `(${each})`),
      seq('(', text, ')', '.replaceAll("a",', text, ')'),
    ),
    list: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.constantFrom('l', '[]', '[3, 1, 2]'),
      seq('[', number, ',', '...', list, ']'),
      seq('(', list, ')', '.map((v) => v +', number, ')'),
      seq('(', list, ')', '.filter((v, i) => ', truth, ')'),
      seq('[...', list, '].sort((p, q) => p - q)'),
      seq('(', list, ')', '.slice(', number, '& 3,', number, '& 3)'),
      seq('Object.keys({ ...o, [', text, ']: 1 }).map((k) => k.length)'),
    ),
    truth: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      seq('(', number, fc.constantFrom('<', '<=', '>', '>=', '===', '!=='), number, ')'),
      seq('(', text, fc.constantFrom('<', '>', '===', '!=='), text, ')'),
      seq('(', truth, fc.constantFrom('&&', '||'), truth, ')'),
      seq('!', truth),
      seq('(', list, ')', '.includes(', number, ')'),
      seq('(typeof ', number, '=== "number")'),
    ),
    statement: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      seq(name, '=', number, '\n'),
      seq('t', '=', text, '.slice(0, 40);'),
      seq('l', '=', list, '.slice(0, 20)\n'),
      seq(name, fc.constantFrom('+=', '-=', '*=', '^=', '??='), number, ';'),
      seq('o', '.', 'n', '=', number, ';'),
      seq('o[', text, '] =', number, ';'),
      seq('l[', 'l.length', '] =', number, ';'),
      seq('if (', truth, ')', statement, 'else ', statement),
      seq('for (let i = 0; i <', number, '% 4; i++)', '{', statement, '}'),
      seq('for (const v of ', list, '.slice(0, 3))', statement),
      seq(
        '{ let w = 0; while (w++ < 2) {',
        statement,
        'if (',
        truth,
        ') continue;',
        statement,
        '} }',
      ),
      seq('{ let w = 0; do {', statement, '} while (w++ < 2) }'),
      seq(
        'try {',
        statement,
        'if (',
        truth,
        ') { z =',
        number,
        '; throw z; } }',
        'catch (e) { x = e; }',
      ),
      seq('try {', statement, '} finally {', statement, '}'),
      seq('switch (', number, '& 3) { case 1:', statement, 'break; case y:', statement, '}'),
      seq('{ const [p = 1, ...r] =', list, '; x += p + r.length; }'),
      seq('{ const { n, ...r } = o; x += n; y += Object.keys(r).length; }'),
      seq('{;[x, y] = [y,', number, ']}'),
      seq('out.push(', fc.oneof(number, text, truth), ');'),
      seq('{', statement, statement, '}'),
    ),
  };
});

const HEAD =
  'let x = a, y = 2, z = 3, t = "t", l = [1, 2], o = { n: 1 }; const out = [], f = (v) => v * 2;';

function outcome(work: () => unknown): string {
  try {
    return JSON.stringify(work(), (_key, value: unknown) => (Object.is(value, -0) ? 0 : value));
  } catch (error) {
    return `threw ${(error as Error).name}`;
  }
}

test('U1: instrumented programs do what they say', (t) => {
  fc.assert(
    fc.property(fc.array(programs.statement, { minLength: 1, maxLength: 6 }), (statements) => {
      const body = `${HEAD}\n${statements.join('\n')}\nreturn [x, y, z, t, l, o, out].map((v) => String(JSONLIKE(v)));`;
      const text =
        'const show = (v) => typeof v === "object" ? Object.entries(v).map(([k, w]) => k + ":" + w).sort().join() : `${v}`;';
      const code = `${text}\n${body.replace('String(JSONLIKE(v))', 'show(v)')}`;
      // oxlint-disable-next-line typescript/no-implied-eval -- what the sandbox is compared with
      const plain = new Function('a', `'use strict';${code}`) as Call;
      const module = load(`export function run(a) { ${code} }`);
      const run = module.exports['run'] as Call;
      const expected = outcome(() => plain(1));
      const got = outcome(() => {
        const ran = module.run(50_000_000, () => run(1));
        if (ran.kind === 'done') return ran.value;
        throw ran.kind === 'threw' ? new Error(ran.fault.message) : new RangeError(ran.reason);
      });
      if (expected.startsWith('threw')) return;
      if (got !== expected) throw new Error(`${expected}\n${got}`);
    }),
    { numRuns: 300 },
  );
  t.pass();
});
