/** Parts of the checker: keys, copies, roles, and that opened machines are the compiled ones. */
import test from 'ava';
import type { PeerMessage } from '../../protocols/messages.ts';
import { LAWLESS, ROOT, type Shape } from './blocks.ts';
import { DEFAULT_BOUNDS, roleOf } from './bounds.ts';
import { toldFault } from './conduct.ts';
import { withMachines, type Engine } from './engine.ts';
import { factsOf } from './facts.ts';
import { Forge } from './forge.ts';
import { apply, type Input } from './inputs.ts';
import { Locals } from './locals.ts';
import { nameOf, Sayings, statementsOf } from './said.ts';
import { Store } from './store.ts';
import { Validator } from './validator.ts';
import { viewOf } from './view.ts';

const FIRST: Shape = {
  term: 0,
  height: 1,
  parent: ROOT,
  reason: { kind: 'epoch' },
  variant: 0,
  signer: 0,
};

/** Votes, commits, gives up, and goes on in the next term. */
function history(block: number): Input[] {
  return [
    { kind: 'proposal', block },
    { kind: 'votes', vote: 'prepare', block, proof: 'valid' },
    { kind: 'expire' },
    {
      kind: 'timeoutCertificate',
      term: 0,
      claims: [block, ROOT, ROOT],
      carried: block,
      proof: 'valid',
    },
  ];
}

function played(engine: Engine, forge: Forge, self: number): Validator {
  const validator = new Validator(engine, forge, self);
  validator.start();
  for (const input of history(forge.number(FIRST))) apply(forge, validator, input);
  return validator;
}

const contents = (sent: readonly PeerMessage[]): unknown => structuredClone(sent);

test('opened machines say what the compiled ones say', async (t) => {
  await withMachines(null, async (opened, closed) => {
    const forge = new Forge(opened, DEFAULT_BOUNDS);
    const [ours, theirs] = [played(opened, forge, 2), played(closed, forge, 2)];
    t.true(ours.sent.length > 3);
    t.deepEqual(contents(ours.sent), contents(theirs.sent));
    t.deepEqual(ours.log, theirs.log);
  });
});

test('a key names no validator: those of one role have the same after the same', async (t) => {
  await withMachines(null, async (opened) => {
    const forge = new Forge(opened, DEFAULT_BOUNDS);
    const [two, three] = [2, 3].map((self) => viewOf(forge, played(opened, forge, self)));
    t.is(two!.key, three!.key);
    t.deepEqual(
      [2, 3].map((index) => roleOf(DEFAULT_BOUNDS, index)),
      [2, 2],
    );
    t.not(viewOf(forge, new Validator(opened, forge, 2)).key, two!.key);
  });
});

test('what is said is one, whoever of a role says it, and blocks have one number each', async (t) => {
  await withMachines(null, async (opened) => {
    const forge = new Forge(opened, DEFAULT_BOUNDS);
    const first = forge.number(FIRST);
    t.is(forge.number({ ...FIRST }), first);
    t.not(forge.number({ ...FIRST, variant: LAWLESS }), first);
    const sayings = new Sayings();
    const views = [played(opened, forge, 2), new Validator(opened, forge, 3)];
    const [some, none] = views.map((each) => sayings.of(viewOf(forge, each)));
    const names = (order: Parameters<typeof nameOf>[0]): string =>
      nameOf(order, 2, true).split(' ')[0]!;
    t.is(names([some!, none!]), names([none!, some!]));
    t.deepEqual(statementsOf([some!, some!, none!], 2).prepared, [first]);
    t.deepEqual(statementsOf([some!, none!, none!], 2).prepared, []);
  });
});

test('a copy goes on as its original would, and leaves it as it is', async (t) => {
  await withMachines(null, async (opened) => {
    const forge = new Forge(opened, DEFAULT_BOUNDS);
    const inputs = history(forge.number(FIRST));
    let copy = new Validator(opened, forge, 2);
    copy.start();
    for (const input of inputs) {
      const before = viewOf(forge, copy).key;
      const next = copy.copy();
      apply(forge, next, input);
      t.is(viewOf(forge, copy).key, before);
      copy = next;
    }
    t.is(viewOf(forge, copy).key, viewOf(forge, played(opened, forge, 2)).key);
  });
});

test('a state is made once, whatever leads to it', async (t) => {
  await withMachines(null, async (opened) => {
    const forge = new Forge(opened, DEFAULT_BOUNDS);
    const locals = new Locals(opened, forge);
    const follow = (): number =>
      history(forge.number(FIRST)).reduce(
        (at, input) => locals.after(at, locals.input(input)),
        locals.start(3),
      );
    const end = follow();
    const { steps } = locals;
    t.is(follow(), end);
    t.is(locals.steps, steps);
    t.is(locals.all.length, new Set(locals.all.map(({ view }) => view.key)).size);
  });
});

test('a final block needs votes', async (t) => {
  await withMachines(null, async (opened) => {
    const forge = new Forge(opened, DEFAULT_BOUNDS);
    const block = forge.number(FIRST);
    const none = { prepared: [], committed: [], votedFor: [], committedTo: [], proposed: [] };
    const claims = [[], [], []];
    t.regex(toldFault(factsOf(forge, { ...none, claims }), [block])!, /fewer than 3/);
    t.is(toldFault(factsOf(forge, { ...none, committed: [block], claims }), [block]), null);
  });
});

test('the store keeps each key once, with what led to it', (t) => {
  const store = new Store();
  const keyOf = (at: number): number => at * 2 ** 33 + at;
  for (let at = 0; at < 10_000; at++) t.true(store.add(keyOf(at), at - 1, at % 7));
  for (let at = 0; at < 10_000; at++) {
    if (store.add(keyOf(at), 0, 0)) t.fail(`added twice: ${at}`);
  }
  t.is(store.size, 10_000);
  t.deepEqual([store.key(9_999), store.parent(9_999), store.step(9_999)], [keyOf(9_999), 9_998, 3]);
});
