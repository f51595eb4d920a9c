/**
 * Scripts with what they return and the steps that they take: the same on every engine, however often
 * they ran. A change of these numbers changes what clusters agree on.
 */
export interface Script {
  readonly name: string;
  readonly body: string;
  readonly args: readonly unknown[];
  readonly value: unknown;
  readonly steps: number;
}

export const corpus: readonly Script[] = [
  {
    name: 'an empty function',
    body: '',
    args: [],
    value: undefined,
    steps: 2,
  },
  {
    name: 'a loop over numbers',
    body: 'let s = 0; for (let i = 0; i < a; i++) s += i % 7; return s;',
    args: [100],
    value: 295,
    steps: 404,
  },
  {
    name: 'while, do, labels',
    body: 'let n = 0; outer: while (true) { do { n++; if (n > 50) break outer; } while (n % 10 !== 0); } return n;',
    args: [],
    value: 51,
    steps: 220,
  },
  {
    name: 'recursion',
    body: 'const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(a);',
    args: [12],
    value: 144,
    steps: 2329,
  },
  {
    name: 'closures over variables',
    body: 'let s = 0; const add = (n) => { s += n; }; for (const x of a) add(x); return s;',
    args: [[1, 2, 3]],
    value: 6,
    steps: 24,
  },
  {
    name: 'text',
    body: 'const parts = []; for (const x of a) parts.push(`<${x}>`); return parts.join("-") + "!".repeat(3) + "abc".padStart(6, "xy") + "ABC".toLowerCase();',
    args: [[1, 'b', true]],
    value: '<1>-<b>-<true>!!!xyxabcabc',
    steps: 28,
  },
  {
    name: 'long text',
    body: 'let s = ""; for (let i = 0; i < 500; i++) s += "0123456789"; return s.length;',
    args: [],
    value: 5000,
    steps: 40910,
  },
  {
    name: 'searching text',
    body: 'const s = "ab".repeat(500); return [s.indexOf("ba"), s.includes("bb"), s.split("a").length, s.replaceAll("ab", "c").length, s.replace("ab", (m) => m + m).length];',
    args: [],
    value: [1, false, 501, 500, 1002],
    steps: 1380,
  },
  {
    name: 'sorting',
    body: 'return [...a].sort((x, y) => x - y);',
    args: [[5, 3, 9, 1, 1, 7, 2, 8, 6, 4, 0]],
    value: [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    steps: 133,
  },
  {
    name: 'sorting text',
    body: 'return [...a].sort();',
    args: [['pear', 'fig', 'apple']],
    value: ['apple', 'fig', 'pear'],
    steps: 19,
  },
  {
    name: 'stable sorting',
    body: 'return a.toSorted((x, y) => x.k - y.k).map((x) => x.v);',
    args: [
      [
        { k: 1, v: 'a' },
        { k: 0, v: 'b' },
        { k: 1, v: 'c' },
        { k: 0, v: 'd' },
      ],
    ],
    value: ['b', 'd', 'a', 'c'],
    steps: 63,
  },
  {
    name: 'array methods',
    body: 'return [a.map((x) => x * 2), a.filter((x) => x > 1), a.reduce((s, x) => s + x), a.some((x) => x > 2), a.every((x) => x > 2), a.find((x) => x > 1), a.findLastIndex((x) => x > 0), a.includes(2), a.indexOf(9), a.flatMap((x) => [x, x]), [[1], [2, 3]].flat(), a.slice(1), a.concat([4], 5), a.toReversed(), a.with(0, 9), a.at(-1)];',
    args: [[1, 2, 3]],
    value: [
      [2, 4, 6],
      [2, 3],
      6,
      true,
      false,
      2,
      2,
      true,
      -1,
      [1, 1, 2, 2, 3, 3],
      [1, 2, 3],
      [2, 3],
      [1, 2, 3, 4, 5],
      [3, 2, 1],
      [9, 2, 3],
      3,
    ],
    steps: 159,
  },
  {
    name: 'changing arrays',
    body: 'const l = [1, 2, 3, 4, 5]; l.splice(1, 2, 9, 8, 7); l.unshift(0); l.shift(); l.pop(); l.push(1, 2); l.reverse(); l[0] = 5; l[l.length] = 6; l.length = 4; l.fill(3, 2); return l;',
    args: [],
    value: [5, 1, 3, 3],
    steps: 32,
  },
  {
    name: 'objects',
    body: 'const { x, ...others } = a; const o = { ...others, ["k" + 1]: 1, 5: 2 }; o.n ??= 3; o["n"] += 4; o.n++; delete o.y; return [x, o, Object.keys(o), Object.entries(o), Object.fromEntries([["q", 1]]), Object.hasOwn(o, "n"), "n" in o];',
    args: [{ x: 1, y: 2, z: 3 }],
    value: [
      1,
      { '5': 2, z: 3, k1: 1, n: 8 },
      ['5', 'z', 'k1', 'n'],
      [
        ['5', 2],
        ['z', 3],
        ['k1', 1],
        ['n', 8],
      ],
      { q: 1 },
      true,
      true,
    ],
    steps: 125,
  },
  {
    name: 'maps and sets',
    body: 'const m = new Map([["a", 1]]); m.set("b", 2); const s = new Set([1, 2, 2]); let n = 0; for (const [k, v] of m) n += v; s.forEach((x) => { n += x; }); return [n, m.size, s.size, [...m.keys()], [...s], m.get("zz") ?? null, m instanceof Map];',
    args: [],
    value: [6, 2, 2, ['a', 'b'], [1, 2], null, true],
    steps: 67,
  },
  {
    name: 'bigints',
    body: 'let x = 1n; for (let i = 0; i < 40; i++) x = x * 3n; return [x % 1000000007n, 2n ** 62n, (x >> 8n) & 255n, BigInt.asUintN(64, -1n), BigInt("12"), Number(5n), (255n).toString(16)];',
    args: [],
    value: [953271190, 4611686018427387904n, 232, 18446744073709551615n, 12, 5, 'ff'],
    steps: 246,
  },
  {
    name: 'numbers',
    body: 'return [7 % 3, 2 ** 10, 7 >>> 1, ~5, -a, Math.floor(7 / 2), Math.max(1, 5, 3), Math.min(...[4, 2]), Number("12"), Number.parseInt("1f", 16), (255).toString(16), (1.005).toFixed(2), Number.isInteger(1.5)];',
    args: [4],
    value: [1, 1024, 3, -6, -4, 3, 5, 2, 12, 31, 'ff', '1.00', false],
    steps: 37,
  },
  {
    name: 'bytes',
    body: 'const u = new Uint8Array(4); u[0] = 255; u.set(a, 1); const v = u.slice(1, 3); let n = 0; for (const x of u) n += x; return [n, v, u.length, Uint8Array.of(1, 2), u.at(-1)];',
    args: [Uint8Array.of(1, 2, 3)],
    value: [261, Uint8Array.of(1, 2), 4, Uint8Array.of(1, 2), 3],
    steps: 51,
  },
  {
    name: 'errors',
    body: 'const out = []; try { null.x; } catch (e) { out.push(e instanceof TypeError, e.message); } try { throw new RangeError("mine"); } catch ({ message }) { out.push(message); } finally { out.push("f"); } try { throw 5; } catch (e) { out.push(e); } return out;',
    args: [],
    value: [true, 'not of the type that this needs', 'mine', 'f', 5],
    steps: 59,
  },
  {
    name: 'switch',
    body: 'const f = (x) => { switch (x) { case 1: return "one"; case a: return "a"; case "s": { return "s"; } default: return "other"; } }; return [f(1), f(4), f("s"), f(9)];',
    args: [4],
    value: ['one', 'a', 's', 'other'],
    steps: 36,
  },
  {
    name: 'destructuring and defaults',
    body: 'const f = (p, { q = 2, r } = { r: [1, 2, 3] }, ...u) => { const [s, ...t] = r; return [p, q, s, t, u]; }; let m = 1, n = 2; [m, n] = [n, m]; return [f(0), f(0, { q: 5, r: [6] }, 7, 8), m, n];',
    args: [],
    value: [[0, 2, 1, [2, 3], []], [0, 5, 6, [], [7, 8]], 2, 1],
    steps: 61,
  },
  {
    name: 'optional chains',
    body: 'const o = { f: (x) => x, l: [1] }; return [o?.f?.(3), o.g?.(1) ?? null, o?.["l"]?.[0], a?.b?.["c"] ?? null, (o.l ?? [])[0]];',
    args: [null],
    value: [3, null, 1, null, 1],
    steps: 22,
  },
  {
    name: 'the wide comparisons',
    body: 'return ["a" < "b", 1n < 2, a === "x".repeat(100), a == null, 1 !== 2, typeof a === "string", [] === []];',
    args: [
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
    value: [true, true, true, false, true, true, false],
    steps: 27,
  },
  {
    name: 'rest and spread',
    body: 'const f = (...x) => x.length; return [f(...a, 1), [...a, ..."xy"], Array.from({ length: 3 }, (_, i) => i * i), Array.of(1, 2), [...new Map([[1, 2]])]];',
    args: [[1, 2]],
    value: [3, [1, 2, 'x', 'y'], [0, 1, 4], [1, 2], [[1, 2]]],
    steps: 66,
  },
];
