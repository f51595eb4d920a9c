/** What commands and questions of the ledger and of voting take: steps for each of what they do (I130). */
import test from 'ava';
import type { Call } from '../../protocols/transaction/submission.ts';
import { testSigner } from '../transaction/crypto.ts';
import { account, call as ledger, many, open as openAccount, transfer } from './ledger/books.ts';
import { World } from './run.ts';
import { a, b, call as voting, cast, name, open } from './voters.ts';

const STEPS = 20_000;
const COMMITTEE = 128;
const voters = Array.from({ length: COMMITTEE }, (_, n) => ({ voter: name(testSigner(n + 1)) }));
const limited = () => new World({}, { stepsMax: STEPS });

/** Which of many calls of one submission, each of `steps`, is the first without any left. */
const firstWithout = (steps: number): number => Math.floor((16 * STEPS) / steps);
const firstOf = (world: World, each: Call, calls: number): number =>
  world.run(Array<Call>(calls).fill(each), a).indexOf('too_expensive');

const transfers = Array.from({ length: 64 }, () => ({ from: 'x', to: 'y', amount: 1 }));
/** They are open already: little is said of them, so that only the looking is paid. */
const accounts = Array.from({ length: 64 }, () => ({ account: 'x' }));
const commands: readonly (readonly [string, Call, number])[] = [
  ['each transfer of a list', many(...transfers), 64 * 256],
  ['each account of a list', ledger('createAccounts', { accounts }), 64 * 256],
  [
    'each member of a committee',
    voting('createCommittee', { voters, required: 1 }),
    COMMITTEE * 128,
  ],
  ['each voter that a round names', open('r', { voters, required: 1 }), COMMITTEE * 128],
];
for (const [what, each, steps] of commands) {
  test(`I130: ${what} takes steps`, (t) => {
    t.is(firstOf(limited(), each, 50), firstWithout(steps));
  });
}

test('I130: a transfer alone takes none', (t) => {
  t.is(firstOf(limited(), transfer('x', 'y', 1), 400), -1);
});

test('I130: a vote takes steps for each member and for each vote before it', (t) => {
  const world = limited();
  world.run([open('r', { voters, required: COMMITTEE })]);
  const refused = cast('r', 'approve', '0'.repeat(64));
  t.is(firstOf(world, refused, 400), firstWithout(COMMITTEE * 8));
  const votes = 28;
  for (let n = 2; n < 2 + votes; n++) world.run([cast('r', 'approve')], testSigner(n));
  t.is(firstOf(world, refused, 400), firstWithout((COMMITTEE + votes) * 8));
});

test('I130: the vote that lets a transaction go takes a step for each byte of it', (t) => {
  const world = limited();
  const value = (bytes: number) => 'x'.repeat(bytes);
  const bind = (round: string, bytes: number): string => {
    const args = { namespace: 'n', key: 'k', value: value(bytes) };
    const bound = { module: 'kv', command: 'set', args };
    const [receipt] = world.receipts([
      open(round, { voters: [{ voter: name(b) }], required: 1, bound }),
    ]);
    return (receipt!.result as { digest: string }).digest;
  };
  const approve = (round: string, bytes: number) =>
    world.run([cast(round, 'approve', bind(round, bytes))], b);
  t.deepEqual(approve('short', STEPS - 100), ['ok']);
  t.deepEqual(approve('long', STEPS), ['too_expensive']);
  t.like(world.ask('voting', 'round', { round: 'long' }), { status: 'open', approvals: 0 });
});

test('I130: a question takes steps for each transfer that it looks at, shown or not', (t) => {
  const world = new World({}, { stepsMax: 32 * 100 });
  const flags = ['debitsMustNotExceedCredits', 'history'];
  world.run([openAccount('x', { flags }), openAccount('y')], a);
  world.run(Array<Call>(101).fill(transfer('x', 'y', 0)), a);
  t.is(account(world, 'x')['owner'], name(a));
  const ask = (limit: number) =>
    world.ask('ledger', 'accountTransfers', { account: 'x', limit, code: 7 });
  t.like(ask(100), { transfers: [] });
  t.is(ask(101), 'too_expensive');
  const balances = { account: 'x', limit: 101 };
  t.is(world.ask('ledger', 'accountBalances', balances), 'too_expensive');
});
