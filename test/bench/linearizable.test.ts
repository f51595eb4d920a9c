/** Histories of a key that can be explained, and some that cannot. */
import test from 'ava';
import { complaints, linearizable } from '../../bench/histories/linearizable.ts';
import type { Asked, KeyOperation, State, Told } from '../../bench/histories/register.ts';
import { Random } from '../../bench/random.ts';

const put = (value: number): Asked => ({ kind: 'put', value });
const cas = (expected: number, value: number): Asked => ({ kind: 'cas', expected, value });
const get: Asked = { kind: 'get' };
const remove: Asked = { kind: 'delete' };
const done: Told = { kind: 'done', done: true };
const missed: Told = { kind: 'done', done: false };
const saw = (value: State): Told => ({ kind: 'read', value });

type Line = readonly [askedAt: number, answeredAt: number, asked: Asked, told: Told | null];

const historyOf = (lines: readonly Line[]): KeyOperation[] =>
  lines.map(([askedAt, answeredAt, asked, told], at) => ({
    label: `c/${at}`,
    key: 'k',
    asked,
    askedAt,
    answeredAt,
    told,
  }));

const POSSIBLE: Readonly<Record<string, readonly Line[]>> = {
  'one after the other': [
    [0, 1, get, saw(null)],
    [2, 3, put(1), done],
    [4, 5, get, saw(1)],
    [6, 7, cas(1, 2), done],
    [8, 9, cas(1, 3), missed],
    [10, 11, remove, done],
    [12, 13, remove, missed],
  ],
  'a read sees a write that is under way, and the next one does': [
    [0, 10, put(1), done],
    [1, 2, get, saw(null)],
    [3, 4, get, saw(1)],
  ],
  'a write that nobody told of happens late': [
    [0, 1, put(1), done],
    [2, 2, put(2), null],
    [3, 4, get, saw(1)],
    [5, 6, get, saw(2)],
  ],
  'a write that nobody told of never happens': [
    [0, 1, put(1), done],
    [2, 2, remove, null],
    [3, 4, get, saw(1)],
  ],
  'a comparison misses because of a write that nobody told of': [
    [0, 1, put(1), done],
    [2, 2, put(2), null],
    [3, 4, cas(1, 3), missed],
    [5, 6, put(4), done],
  ],
};

const IMPOSSIBLE: Readonly<Record<string, readonly Line[]>> = {
  'a stale read': [
    [0, 1, put(1), done],
    [2, 3, put(2), done],
    [4, 5, get, saw(1)],
  ],
  'a lost write': [
    [0, 1, put(1), done],
    [2, 3, get, saw(null)],
  ],
  'a read that goes back': [
    [0, 10, put(1), done],
    [1, 2, get, saw(1)],
    [3, 4, get, saw(null)],
  ],
  'a read of what nobody wrote': [
    [0, 1, put(1), done],
    [2, 3, get, saw(7)],
  ],
  'two comparisons that both hit': [
    [0, 1, put(1), done],
    [2, 9, cas(1, 2), done],
    [3, 8, cas(1, 3), done],
  ],
  'a write seen before it was asked for': [
    [0, 1, get, saw(1)],
    [2, 3, put(1), done],
  ],
  'what nobody told of happens twice': [
    [0, 0, put(1), null],
    [1, 2, get, saw(1)],
    [3, 4, put(2), done],
    [5, 6, get, saw(1)],
  ],
};

for (const [name, lines] of Object.entries(POSSIBLE)) {
  test(`linearizable: ${name}`, (t) => {
    t.deepEqual(linearizable(historyOf(lines)), { kind: 'linearizable' });
  });
}

for (const [name, lines] of Object.entries(IMPOSSIBLE)) {
  test(`not linearizable: ${name}`, (t) => {
    t.is(linearizable(historyOf(lines)).kind, 'violated');
  });
}

test('a complaint names the key, what fits nowhere, and what stands before it', (t) => {
  const [complaint = '', ...others] = complaints(historyOf(IMPOSSIBLE['a stale read']!));
  t.deepEqual(others, []);
  t.regex(complaint, /^key k: c\/2 get .* → 1 in 4\.0–5\.0 ms fits nowhere where the value is 2/);
  t.regex(complaint, /before it: c\/0 put .*; c\/1 put /);
});

test('a search that takes too long says that it does not know', (t) => {
  t.is(linearizable(historyOf(POSSIBLE['one after the other']!), 3).kind, 'undecided');
});

/** What a register that clients share tells them, each operation at some moment of its own. */
function played(random: Random): KeyOperation[] {
  let value: State = null;
  let clock = 0;
  const busyUntil = [0, 0, 0, 0, 0];
  const operations: KeyOperation[] = [];
  for (let at = 1; at <= 100; at++) {
    const client = random.int(busyUntil.length);
    clock++;
    const askedAt = Math.max(clock - random.int(6), busyUntil[client]!);
    const answeredAt = Math.max(clock, askedAt) + random.int(6) / 7;
    busyUntil[client] = answeredAt + 1;
    clock = Math.max(clock, askedAt);
    const asked = random.pick([get, get, put(at), cas(value ?? 0, at), cas(0, at), remove]);
    const [after, told] = answered(value, asked);
    const isUnknown = random.chance(0.05) && asked.kind !== 'get';
    // What nobody told of may not have happened.
    if (!isUnknown || random.chance(0.5)) value = after;
    const label = `${client}/${at}`;
    const heard = isUnknown ? null : told;
    operations.push({ label, key: 'k', asked, askedAt, answeredAt, told: heard });
  }
  return operations;
}

function answered(value: State, asked: Asked): [State, Told] {
  if (asked.kind === 'get') return [value, saw(value)];
  if (asked.kind === 'put') return [asked.value, done];
  const isFit = asked.kind === 'cas' ? value === asked.expected : value !== null;
  if (!isFit) return [value, missed];
  return [asked.kind === 'cas' ? asked.value : null, done];
}

test('whatever a register tells is linearizable, and is not once a read is made stale or a write lost', (t) => {
  const random = new Random(1);
  let stale = 0;
  for (let run = 0; run < 100; run++) {
    const history = played(random.fork());
    t.deepEqual(linearizable(history), { kind: 'linearizable' }, `run ${run}`);
    const reads = history.filter(({ told }) => told?.kind === 'read' && told.value !== null);
    const read = random.pick(reads);
    const impossible = history.map((each) => (each === read ? { ...each, told: saw(1000) } : each));
    t.is(linearizable(impossible).kind, 'violated', `run ${run}`);
    const early = reads[0]!;
    const late = reads.at(-1)!;
    const aged = history.map((each) => (each === late ? { ...each, told: early.told } : each));
    if (linearizable(aged).kind === 'violated') stale++;
  }
  t.true(stale > 50, `${stale} of 100 stale reads found`);
});
