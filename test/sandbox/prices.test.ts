/**
 * What each operation costs beside the syntax that it is written with, by the size of what it takes. A
 * change of these numbers changes what clusters agree on.
 */
import test from 'ava';
import { load, runText } from './module.ts';

const GIVEN = `
  const l = Array.from({ length: 100 }, (_, i) => i), u = new Uint8Array(3200);
  const o = Object.fromEntries(l.map((i) => ['k' + i, i]));
  const m = new Map(), mm = new Map([[1, 2], ['a', 3]]), ss = new Set([1, 'a']);
  const t = 'a'.repeat(3200), r = 'a'.repeat(3199) + 'b', q = 'ab'.repeat(100), x = 'b';
  const s = 'a'.repeat(800), d = '9'.repeat(100), w = 2n ** 100n;`;

const prices: readonly (readonly [string, number])[] = [
  ['u.fill(7);', 102],
  ['u.set(u);', 102],
  ['u.slice();', 106],
  ['new Uint8Array(3200);', 105],
  ['new Uint8Array(l);', 105],
  ['Uint8Array.from(l);', 156],
  ['o[s];', 101],
  ['o[s] = 1;', 102],
  ['s in o;', 101],
  ["o['8191'] = 1;", 1025],
  ['o[8191] = 1;', 1025],
  ['o[8192] = 1;', 2],
  ['m.get(s);', 102],
  ['m.get(7);', 6],
  ['m.get(7n);', 7],
  ['m.get(w);', 30],
  ['new Set([7]).values().next();', 17],
  ['new Set([7n]).values().next();', 18],
  ['new Set([w]).values().next();', 44],
  ['mm.forEach(nop);', 10],
  ['ss.forEach(nop);', 10],
  ['Number(t);', 101],
  ['Number.parseInt(t);', 102],
  ['BigInt(d);', 101],
  ['String(7n);', 2],
  ['String(w);', 25],
  ['`${w}`;', 26],
  ['w.toString(16);', 26],
  ['`${t}`;', 102],
  ['t + t;', 201],
  ['t.concat(t, t);', 502],
  ['String(t);', 1],
  ['t === r;', 101],
  ['t < r;', 101],
  ['switch (t) { case r: case x: }', 202],
  ['t.startsWith(r);', 102],
  ['t.endsWith(r);', 102],
  ["t.indexOf('b');", 102],
  ["t.lastIndexOf('b');", 102],
  ["'a-'.repeat(100).split('-');", 116],
  ["t.split('');", 6402],
  ["t.replace('b', r);", 602],
  ["t.replace('a', r);", 802],
  ["q.replaceAll('a', r);", 20511],
  ["q.replaceAll('a', () => r);", 20211],
  ['t.slice(1);', 101],
  ['t.substring(1);', 101],
  ['t.trim();', 102],
  ['t.trimStart();', 102],
  ['t.trimEnd();', 102],
  ['t.toLowerCase();', 102],
  ['t.toUpperCase();', 102],
  ['t.repeat(2);', 202],
  ['t.padEnd(6400, r);', 102],
  ['String.fromCharCode(97, 98);', 2],
  ['String.fromCharCode(...l);', 105],
  ['l.join(t);', 10127],
  ['l.toSorted(() => 0);', 1099],
  ['l.map(nop);', 202],
  ['l.slice();', 27],
  ['[...l];', 52],
  ['[...mm];', 8],
  ['[...u];', 1602],
  ['nop(...l);', 103],
  ['const [y, ...z] = l;', 202],
  ['const [y, ...z] = l.values();', 303],
  ['Array.from({ length: 100 });', 203],
  ['Array.from(l);', 102],
  ['Object.keys(o);', 802],
  ['Object.entries(o);', 1002],
  ['({ ...o });', 801],
  ['const { k1, ...z } = o;', 802],
  ["Object.fromEntries([['a', 1], [s, 2]]);", 107],
  ['new Error(t);', 17],
  ['none();', 8],
  ['none(t);', 108],
  ['none(u);', 109],
  ['none({ [s]: 1 });', 136],
  ['twice(u);', 314],
  ['twice(t);', 311],
];

function stepsOf(body: string): number {
  const head = "import { none, twice } from 'althing/module'; const nop = (x) => x;";
  const ran = runText(`${head} export function run() {${GIVEN} ${body} }`, 1_000_000);
  if (ran.kind !== 'done') throw new Error(`${body} ${ran.kind}`);
  return ran.steps;
}

const nothing = stepsOf('');
for (const [body, steps] of prices) {
  test(`U1: ${body} takes ${steps} steps`, (t) => t.is(stepsOf(body) - nothing, steps));
}

test('U1: what is frozen as a module loads is paid for', (t) => {
  const listed = (length: number): string =>
    `const l = Array.from({ length: ${length} }); export const run = () => l.length;`;
  t.notThrows(() => load(listed(300_000)));
  t.throws(() => load(listed(400_000)), { any: true, name: 'Stopped' });
});
