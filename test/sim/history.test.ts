/** Histories that must not be: each is one that was, with one thing changed. */
import test, { type ExecutionContext } from 'ava';
import { loadEngine } from './build-engine.ts';
import { profileOf } from './profile.ts';
import type { Wish } from './submissions.ts';
import { World } from './world.ts';

const engine = await loadEngine();

/** A run in which nothing is wrong, and its answered wishes in the order of the chain. */
function played(t: ExecutionContext): { world: World; wishes: Wish[]; done: Wish[] } {
  const world = new World(engine, profileOf(2, { nodes: 4, focus: ['calm', 'busy'] }));
  t.is(world.run().violation, null);
  const { wishes } = world.clients;
  const done = wishes.filter(({ told }) => told !== null);
  done.sort((a, b) => a.told!.height - b.told!.height || a.told!.index - b.told!.index);
  t.true(done.length > 20);
  return { world, wishes, done };
}

/** What is found wrong with the history now. */
function complaint(world: World, wishes: readonly Wish[]): string {
  world.history.check(wishes);
  const { violation } = world;
  return violation === null ? 'nothing' : `${violation.checker}: ${violation.detail}`;
}

const last = <T>(items: readonly T[]): T => items.at(-1)!;

test('what was asked after another was answered stands behind it', (t) => {
  const { world, wishes, done } = played(t);
  const [first] = done;
  first!.askedUs = last(done).answeredUs + 1;
  const found = complaint(world, wishes);
  t.true(found.startsWith(`history: ${first!.label} at `), found);
  t.regex(found, /was asked after .* was answered$/);
});

test('what was asked before the other was answered may stand anywhere', (t) => {
  const { world, wishes, done } = played(t);
  for (const wish of done) wish.askedUs = Math.min(...done.map(({ answeredUs }) => answeredUs));
  t.is(complaint(world, wishes), 'nothing');
});

test('a receipt that a client holds is one of the chain', (t) => {
  const { world, wishes, done } = played(t);
  const wish = last(done);
  wish.told = { ...wish.told!, index: wish.told!.index + 1 };
  const found = complaint(world, wishes);
  t.true(found.startsWith(`history: ${wish.label} was told a receipt at`), found);
});

test('nothing is executed that nobody asked for', (t) => {
  const { world, wishes, done } = played(t);
  t.regex(
    complaint(
      world,
      wishes.filter((wish) => wish !== done[3]),
    ),
    /nobody asked for what is at/,
  );
});

test('an outcome follows from all that stands before it', (t) => {
  const { world, wishes, done } = played(t);
  // Somebody else's: what its owner may, another may not.
  const wish = done.find(
    ({ calls, label }) => calls[0]!.module === 'ledger' && label.startsWith('client'),
  )!;
  const changed = wishes.map((each) => (each === wish ? { ...wish, sender: 'key:other' } : each));
  const found = complaint(world, changed);
  t.regex(found, /^history: .*, expected /);
});

test('a read is the state at its height, and a node never answers from below what it answered', (t) => {
  const { world, wishes, done } = played(t);
  const { height } = last(done).told!;
  const read = {
    reader: 'reader',
    module: 'ledger',
    query: 'account',
    args: { account: 'probe-0' },
    height,
    outcome: { ok: true, result: { creditsPosted: '7' } },
  } as const;
  world.history.read(read);
  t.regex(complaint(world, wishes), /^history: reader answers ledger\.account .* at \d+: .*"7"/);

  const other = played(t).world;
  const refused = { ok: false, code: 'overloaded' } as const;
  other.history.read({ ...read, query: 'supply', outcome: { ok: true, result: {} } });
  other.history.read({ ...read, height: 1, outcome: refused });
  t.is(other.violation, null, 'who says that it cannot answer now says nothing of the state');
  other.history.read({ ...read, height: height - 1 });
  t.regex(other.violation?.detail ?? '', /^reader answers ledger\.account from \d+ after \d+$/);
});
