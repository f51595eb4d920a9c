import test from 'ava';
import type { Value } from '../../protocols/transaction/values.ts';
import { put, scratch } from '../transaction/modules.ts';
import { TimedWorld } from './timed-world.ts';
import { a, b, c, call, cast, name, open, stranger, view, voters } from './voters.ts';

const electorate = { voters, required: 2 };
const approve = (w: TimedWorld, round: string) => cast(round, 'approve', view(w, round).digest);
const row = (w: TimedWorld, key: string): unknown => w.ask('scratch', 'get', key);

function world(): TimedWorld {
  return new TimedWorld({}, [scratch]);
}

test('V5: an approved round runs its transaction, once, and says what came of it', (t) => {
  const w = world();
  const bound = put('k', 'done');
  w.run([open('r', { ...electorate, bound })]);
  t.deepEqual(w.ask('voting', 'bound', { round: 'r' }), { digest: view(w, 'r').digest, ...bound });
  w.run([approve(w, 'r')], a);
  t.is(row(w, 'k'), 'row_not_found');
  const [receipt] = w.receipts([approve(w, 'r')], b);
  t.is(row(w, 'k'), 'done');
  const { committee, sender } = view(w, 'r');
  t.is(sender, `module:voting/${committee}`);
  t.deepEqual(receipt!.events.at(-1), {
    module: 'voting',
    name: 'released',
    data: { round: 'r', module: 'scratch', command: 'put', sender, ok: true, code: null },
  });
  t.deepEqual(view(w, 'r').release, { ok: true, code: null });
  w.run([put('k', 'since')]);
  t.deepEqual(w.run([approve(w, 'r')], c), ['round_closed']);
  t.is(row(w, 'k'), 'since');
  t.is(w.ask('voting', 'bound', { round: 'r' }), 'bound_not_found');
});

test('V5: what is refused or fails leaves nothing behind, and the round stays approved', (t) => {
  const w = world();
  const bound = [
    { module: 'scratch', command: 'putThenRefuse', args: { key: 'k', value: 1 } },
    { module: 'scratch', command: 'putThenThrow', args: { key: 'k', value: 1 } },
    { module: 'nobody', command: 'put', args: null },
  ];
  const codes = ['changed_my_mind', 'module_fault', 'unknown_module'];
  for (const [at, each] of bound.entries()) {
    const round = `r${at}`;
    w.run([open(round, { voters, required: 1, bound: each })]);
    const [receipt] = w.receipts([approve(w, round)], a);
    t.is(receipt!.status, 'ok');
    t.deepEqual(
      receipt!.events.map((event) => event.name),
      ['voted', 'decided', 'released'],
    );
    t.like(view(w, round), { status: 'approved', release: { ok: false, code: codes[at] } });
    t.is(row(w, 'k'), 'row_not_found');
  }
});

test('V5: neither a rejected round nor an expired one releases anything', (t) => {
  const w = world();
  const deadline = w.time + 1000;
  w.run([
    open('rejected', { voters, required: 4, bound: put('k', 1) }),
    open('expired', { voters, required: 2, deadline, bound: put('k', 1) }),
  ]);
  w.run([cast('rejected', 'reject'), approve(w, 'expired')], a);
  w.at(deadline);
  t.is(view(w, 'rejected').status, 'rejected');
  t.is(view(w, 'expired').status, 'expired');
  t.deepEqual(w.run([approve(w, 'expired')], b), ['round_closed']);
  t.is(row(w, 'k'), 'row_not_found');
  t.is(w.ask('voting', 'bound', { round: 'expired' }), 'bound_not_found');
});

test('V5: who approves names what is approved; to reject, the id is enough', (t) => {
  const w = world();
  w.run([open('r', { ...electorate, bound: put('k', 'good') })]);
  t.deepEqual(w.run([cast('r', 'approve')], a), ['digest_missing']);
  t.deepEqual(w.run([cast('r', 'reject')], c), ['ok']);
});

test('V5: an approval does not count for a later round of the same id', (t) => {
  const w = new TimedWorld({ voting: { keepMs: 0 } }, [scratch]);
  const deadline = w.time + 1000;
  const first = open('r', { ...electorate, deadline: deadline + 5000, bound: put('k', 'good') });
  w.run([open('r', { ...electorate, deadline, bound: put('k', 'good') })]);
  const approvals = [approve(w, 'r')];
  w.at(deadline);
  w.at(deadline + 10);
  w.run([open('x', { voters, required: 1 }), cast('x', 'approve')]);
  t.is(w.ask('voting', 'round', { round: 'r' }), 'round_not_found');
  t.deepEqual(w.run([first]), ['ok']);
  for (const voter of [a, b]) t.deepEqual(w.run(approvals, voter), ['digest_mismatch']);
  t.is(row(w, 'k'), 'row_not_found');
});

test('V5: the digest is that of the content and of the block in which the round was opened', (t) => {
  const digestOf = (more: Record<string, Value>, blocks = 0): string => {
    const w = world();
    for (let at = 0; at < blocks; at++) w.run([put('x', at)]);
    w.run([open('r', { ...electorate, deadline: 1_700_000_009_000, ...more })]);
    return view(w, 'r').digest;
  };
  const digests = [
    digestOf({}),
    digestOf({ subject: 's' }),
    digestOf({ required: 1 }),
    digestOf({ voters: voters.slice(1) }),
    digestOf({ deadline: 1_700_000_009_001 }),
    digestOf({ bound: put('k', 1) }),
    digestOf({ bound: put('k', 2) }),
    digestOf({}, 1),
  ];
  t.is(new Set(digests).size, digests.length);
  t.deepEqual(digests.slice(0, 1), [digestOf({})]);
});

test('V2, V5: an account of a committee obeys that committee, and nobody with less', (t) => {
  const w = new TimedWorld({ ledger: { issuers: [name(a)] } });
  const ledger = (command: string, args: Value) => ({ module: 'ledger', command, args });
  const [created] = w.receipts([call('createCommittee', electorate)]);
  const { committee } = created!.result as { committee: string };
  w.run([
    ledger('open', { account: 'vault', owner: `module:voting/${committee}` }),
    ledger('open', { account: 'out' }),
    ledger('issue', { account: 'vault', amount: 100 }),
  ]);
  const bound = ledger('transfer', { from: 'vault', to: 'out', amount: 60 });
  t.deepEqual(w.run([bound]), ['not_owner']);
  // The same id or voters do not help who asks for less, or for others.
  w.run([open('one', { voters, required: 1, bound })]);
  w.run([approve(w, 'one')]);
  w.run([open('mine', { voters: [{ voter: name(stranger), weight: 2 }], required: 2, bound })]);
  w.run([approve(w, 'mine')], stranger);
  for (const round of ['one', 'mine']) {
    t.deepEqual(view(w, round).release, { ok: false, code: 'not_owner' });
  }
  w.run([open('r', { committee, bound })]);
  for (const voter of [a, b]) w.run([approve(w, 'r')], voter);
  t.deepEqual(view(w, 'r').release, { ok: true, code: null });
  t.like(w.ask('ledger', 'account', { account: 'vault' }) as object, { balance: '40' });
});

test('V1, V5: a committee votes in the round of another one', (t) => {
  const w = world();
  const [created] = w.receipts([call('createCommittee', electorate)]);
  const { committee } = created!.result as { committee: string };
  const board = { voters: [{ voter: `module:voting/${committee}` }, { voter: name(c) }] };
  w.run([open('upper', { ...board, required: 1, bound: put('k', 'both') })]);
  const bound = { module: 'voting', command: 'cast', args: {} as Value };
  const args = { round: 'upper', choice: 'approve', digest: view(w, 'upper').digest };
  w.run([open('lower', { ...electorate, bound: { ...bound, args } })]);
  for (const voter of [a, b]) w.run([approve(w, 'lower')], voter);
  t.deepEqual(view(w, 'lower').release, { ok: true, code: null });
  t.like(view(w, 'upper'), { status: 'approved', release: { ok: true, code: null } });
  t.is(row(w, 'k'), 'both');
});

test('V3, V5: a round whose transaction votes in the round itself is decided once', (t) => {
  const w = world();
  const [created] = w.receipts([call('createCommittee', { voters, required: 1 })]);
  const { committee } = created!.result as { committee: string };
  const args = { round: 'r', choice: 'reject' };
  const bound = { module: 'voting', command: 'cast', args };
  const itself = [{ voter: `module:voting/${committee}` }, { voter: name(a) }];
  w.run([open('r', { voters: itself, required: 1, bound })]);
  w.run([approve(w, 'r')], a);
  t.like(view(w, 'r'), { status: 'approved', approvals: 1, rejections: 0 });
  t.deepEqual(view(w, 'r').release, { ok: false, code: 'not_eligible' });
});
