/** Keys of maps and sets, and names of properties: what the engine finds by a hash. */
import test from 'ava';
import { meter } from '../../src/modules/sandbox/realm/meter.ts';
import { stored } from '../../src/modules/sandbox/realm/names.ts';
import { result } from './module.ts';

test('U14: a key comes out of a map or set as it went in, in the order of insertion', (t) => {
  const keys =
    '["", "!", "#1", "$1", "1", "01", "a", "é", ":", "!a", 1, -1, 0, 1.5, 1e21, 1e-7, 5e-324, NaN, Infinity, -Infinity, 1n, -1n, 0n, 2n ** 70n, -(2n ** 1000n), true, false, null, undefined, o, l]';
  const same = `const o = {}, l = [], all = ${keys};
    const is = (x, i) => Object.is(x, all[i]);`;
  for (const each of [
    'const s = new Set([...all, ...all]); return s.size === all.length && [...s].every(is) && all.every((x) => s.has(x)) && [...s.keys()].every(is) && [...s.entries()].every(([x, y], i) => is(x, i) && is(y, i));',
    'const m = new Map(all.map((x, i) => [x, i])); for (const x of all) m.set(x, x); return m.size === all.length && [...m.keys()].every(is) && [...m.values()].every(is) && [...m].every(([x, y], i) => is(x, i) && is(y, i)) && all.every((x) => Object.is(m.get(x), x));',
    'const m = new Map(all.map((x, i) => [x, i])), n = []; m.forEach((i, x, of) => { if (of === m && is(x, i)) n.push(i); }); return n.length === all.length;',
    'const s = new Set(all), n = []; s.forEach((x, y, of) => { if (of === s && is(x, n.length) && is(y, n.length)) n.push(1); }); return n.length === all.length;',
    'const s = new Set(all); for (const x of all) if (!s.delete(x) || s.has(x)) return x; return s.size === 0;',
    'const s = new Set([-0]); return Object.is([...s][0], 0) && s.has(0) && s.has(-0) && !s.has("0") && !s.has(0n);',
    'const s = new Set(new Set(all)), m = new Map(new Map([[1n, 2]])); return [...s].every(is) && m.get(1n) === 2;',
    'const m = new Map([[1, 2]]), e = m.entries().next().value; e[0] = 5; return m.get(1) === 2 && !m.has(5);',
    'const s = new Set([1]), seen = []; for (const x of s) { seen.push(x); if (x < 5) s.add(x + 1); s.delete(x); } return seen.length === 5 && s.size === 0;',
    'const i = new Set([1]).values(); return i.next().value === 1 && i.next().done && [...i].length === 0;',
  ]) {
    t.true(result(`${same} ${each}`), each);
  }
});

test('U14: keys that an engine would hash alike are no slower than others', (t) => {
  // The work of a lookup shows in how often the engine compares keys: in time alone. What can be seen is
  // that none of those stands in a native map as it is.
  meter.left = 1000;
  t.teardown(() => {
    meter.left = -1;
  });
  for (const key of [1, -1, 2 ** 31, 0.5, 2 ** 53, 1n, 1n << 64n, '1', '1000000000', '', '-1']) {
    t.regex(stored(key) as string, /^[!#$]/, String(key));
  }
  for (const key of ['a', 'é', true, null, undefined]) t.is(stored(key), key);
  t.throws(() => stored('a'.repeat(4097)), { message: /4096/ });
});

for (const body of [
  'm.get(s)',
  'm.set(s, 1)',
  'new Set([s])',
  'o[s]',
  'o[s] = 1',
  '({ [s]: 1 })',
]) {
  test(`U14: a key has at most 4096 units in ${body}`, (t) => {
    const given = 'const m = new Map(), o = {}, s = "a".repeat(4096 + more);';
    t.is(result(`const more = 0; ${given} ${body}; return 1;`), 1);
    t.regex(String(result(`const more = 1; ${given} ${body}; return 1;`)), /4096 units/);
  });
}

for (const body of ['s in o', 'Object.hasOwn(o, s)', 'Object.fromEntries([[s, 1]])']) {
  test(`U14: a name has at most 4096 units in ${body}`, (t) => {
    const given = 'const o = { a: 1 }, s = "a".repeat(4097);';
    t.regex(String(result(`${given} ${body};`)), /4096 units/);
  });
}

test('`in` is as ever', (t) => {
  const body = 'const o = { a: 1 }; return ["a" in o, "b" in o, 0 in [5], 1 in [5]];';
  t.deepEqual(result(body), [true, false, true, false]);
});
