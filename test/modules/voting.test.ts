import test from 'ava';
import type { Signer } from '../../protocols/crypto.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { clusterOf, nodes, START_MS } from '../transaction/fixture.ts';
import { TimedWorld } from './timed-world.ts';
import { a, b, c, call, cast, d, name, open, signers, stranger, view, voters } from './voters.ts';

test('V3: a round is approved as soon as the approvals suffice, and says so', (t) => {
  const w = new TimedWorld();
  t.deepEqual(w.run([open('r')]), ['ok']);
  t.deepEqual(w.run([cast('r', 'approve')], a), ['ok']);
  t.deepEqual(w.run([cast('r', 'reject')], b), ['ok']);
  t.deepEqual(w.run([cast('r', 'approve')], c), ['ok']);
  t.like(view(w, 'r'), { status: 'open', approvals: 2, rejections: 1, ended: null });
  const [receipt] = w.receipts([cast('r', 'approve')], d);
  t.deepEqual(receipt!.result as unknown, {
    counted: true,
    status: 'approved',
    approvals: 3,
    rejections: 1,
  });
  const { digest } = view(w, 'r');
  t.deepEqual(
    receipt!.events.map(({ name: event, data }) => [event, data]),
    [
      [
        'voted',
        { round: 'r', voter: name(d), choice: 'approve', weight: 1, approvals: 3, rejections: 1 },
      ],
      ['decided', { round: 'r', digest, status: 'approved', approvals: 3, rejections: 1 }],
    ] as unknown as [string, Value][],
  );
  t.like(view(w, 'r'), { status: 'approved', voters: 4, required: 3, total: 4, ended: w.time });
});

test('V3: a round is rejected as soon as what is required cannot be reached', (t) => {
  const w = new TimedWorld();
  w.run([open('r')]);
  w.run([cast('r', 'reject')], a);
  t.is(view(w, 'r').status, 'open');
  w.run([cast('r', 'reject')], b);
  t.is(view(w, 'r').status, 'rejected');
  t.deepEqual(w.run([cast('r', 'approve')], c), ['round_closed']);
});

test('a committee has up to 128 members', (t) => {
  const w = new TimedWorld();
  const committee = (size: number) =>
    Array.from({ length: size }, (_, at) => ({ voter: `key:${String(at).padStart(64, '0')}` }));
  t.deepEqual(w.run([open('r', { voters: committee(128), required: 3 })]), ['ok']);
  t.deepEqual(w.run([open('s', { voters: committee(129), required: 3 })]), ['invalid_args']);
});

test('V3: block time decides at the deadline, and a vote in that block is too late', (t) => {
  const w = new TimedWorld();
  const deadline = START_MS + 1000;
  w.run([open('r', { voters, required: 3, deadline })]);
  w.at(deadline - 1);
  t.is(view(w, 'r').status, 'open');
  const late = w.receipts([cast('r', 'approve')], a);
  t.is(late[0]!.error?.code, 'round_closed');
  t.like(view(w, 'r'), { status: 'expired', approvals: 0, ended: deadline });
});

test('V3: a vote is too late at the deadline also while other timers keep the round open', (t) => {
  const w = new TimedWorld();
  const deadline = START_MS + 1000;
  const many = Array.from({ length: 50 }, (_, lane) =>
    Array.from({ length: 50 }, (_each, at) =>
      open(`r${lane}-${at}`, { voters, required: 1, deadline }),
    ),
  );
  for (const calls of many) w.run(calls);
  w.at(deadline - 1);
  t.deepEqual(w.run([cast('r49-49', 'approve')], a), ['round_closed']);
  t.is(view(w, 'r49-49').status, 'open');
  w.at(deadline + 1);
  t.is(view(w, 'r49-49').status, 'expired');
});

test('V3: the timer of a decided round is gone, and does not end the next one of its id', (t) => {
  const w = new TimedWorld({ voting: { keepMs: 10 } });
  const deadline = START_MS + 1000;
  w.run([open('r', { voters, required: 1, deadline }), cast('r', 'approve')]);
  w.at(START_MS + 500);
  w.run([open('x', { voters, required: 1 }), cast('x', 'approve')]);
  t.is(w.ask('voting', 'round', { round: 'r' }), 'round_not_found');
  w.run([open('r', { voters, required: 1, deadline: deadline + 5000 })]);
  t.deepEqual(w.at(deadline + 1), []);
  t.is(view(w, 'r').status, 'open');
});

test('V1: a vote belongs to the key that signed it', (t) => {
  const w = new TimedWorld();
  w.run([open('r')]);
  t.deepEqual(w.run([cast('r', 'approve')], stranger), ['not_eligible']);
  t.deepEqual(w.run([cast('r', 'approve')], a), ['ok']);
  t.like(w.ask('voting', 'votes', { round: 'r' }) as object, {
    votes: [{ voter: name(a), weight: 1, choice: 'approve', height: 3, twice: false }],
  });
});

test('V1: what a node signs for its operator is the vote of the node; for others it is none', (t) => {
  const w = new TimedWorld();
  t.deepEqual(w.runFor('api', 0, [open('r', { required: 2 })]), ['ok']);
  t.deepEqual(w.runFor('mallory', 0, [cast('r', 'approve')]), ['not_eligible']);
  t.deepEqual(w.runFor('api', 0, [cast('r', 'approve'), cast('r', 'approve')]), [
    'ok',
    'already_voted',
  ]);
  t.like(view(w, 'r'), { status: 'open', approvals: 1, voters: 4 });
  t.deepEqual(w.runFor('dev', 2, [cast('r', 'approve')]), ['ok']);
  t.like(view(w, 'r'), { status: 'approved', sender: 'module:voting/validators/2' });
  t.like(w.ask('voting', 'votes', { round: 'r' }) as object, {
    votes: [{ voter: name(nodes[0]!) }, { voter: name(nodes[2]!) }],
  });
});

test('a round of nobody in particular is one of the validators, and takes a quorum', (t) => {
  const w = new TimedWorld();
  w.run([open('r', {})]);
  t.like(view(w, 'r'), { voters: 4, required: 3, total: 4 });
  t.deepEqual(w.run([open('s', { required: 5 })]), ['required_too_high']);
});

test('of three validators two decide a round that says no more, and two of them reject it', (t) => {
  const cluster = clusterOf();
  const { genesis } = cluster;
  const three = { ...genesis, validators: genesis.validators.slice(0, 3) };
  const w = new TimedWorld({}, [], { ...cluster, genesis: three, n: 3, quorum: 2 });
  w.run([open('r', {}), open('s', {})]);
  t.like(view(w, 'r'), { voters: 3, required: 2, total: 3 });
  const [first, second, , fourth] = nodes as [Signer, Signer, Signer, Signer];
  t.deepEqual(w.run([cast('r', 'approve')], fourth), ['not_eligible']);
  t.deepEqual(w.run([cast('r', 'approve'), cast('s', 'reject')], first), ['ok', 'ok']);
  t.deepEqual([view(w, 'r').status, view(w, 's').status], ['open', 'open']);
  t.deepEqual(w.run([cast('r', 'approve'), cast('s', 'reject')], second), ['ok', 'ok']);
  t.deepEqual([view(w, 'r').status, view(w, 's').status], ['approved', 'rejected']);
  t.like(view(w, 'r'), { sender: 'module:voting/validators/2' });
});

test('V2: a committee has one name, whoever names it and in whatever order', (t) => {
  const w = new TimedWorld();
  const named = (members: readonly Value[], required: number): string => {
    const [receipt] = w.receipts([call('createCommittee', { voters: members, required })]);
    return (receipt!.result as { committee: string }).committee;
  };
  const first = named(voters, 3);
  t.is(named(voters.toReversed(), 3), first);
  t.is(
    named(
      voters.map((each) => ({ ...each, weight: 1 })),
      3,
    ),
    first,
  );
  t.not(named(voters, 2), first);
  t.not(named(voters.slice(1), 3), first);
  t.not(named([{ voter: name(a), weight: 2 }, ...voters.slice(1)], 3), first);
  t.is(
    (w.ask('voting', 'committees', { voter: name(a) }) as { committees: unknown[] }).committees
      .length,
    3,
  );
  t.like(w.ask('voting', 'committee', { committee: first }) as object, {
    committee: first,
    sender: `module:voting/${first}`,
    required: 3,
    total: 4,
  });
});

test('V4: the same vote again is refused and changes nothing', (t) => {
  const w = new TimedWorld();
  w.run([open('r')]);
  w.run([cast('r', 'approve')], a);
  t.deepEqual(w.run([cast('r', 'approve')], a), ['already_voted']);
  t.like(view(w, 'r'), { approvals: 1, rejections: 0 });
  t.deepEqual(w.ask('voting', 'evidence', {}), { evidence: [], next: null });
});

test('V4: a vote for the other choice does not count and is kept as evidence, once', (t) => {
  const w = new TimedWorld();
  w.run([open('r')]);
  w.run([cast('r', 'approve')], a);
  const [receipt] = w.receipts([cast('r', 'reject')], a);
  t.like(receipt!.result as object, { counted: false, approvals: 1, rejections: 0 });
  const evidence = {
    round: 'r',
    digest: view(w, 'r').digest,
    voter: name(a),
    first: { choice: 'approve', height: 2 },
    second: { choice: 'reject', height: 3 },
    time: w.time,
  };
  t.deepEqual(receipt!.events, [{ module: 'voting', name: 'doubleVote', data: evidence }]);
  t.deepEqual(w.run([cast('r', 'reject'), cast('r', 'approve')], a), [
    'already_voted',
    'already_voted',
  ]);
  t.like(view(w, 'r'), { approvals: 1, rejections: 0 });
  for (const args of [{}, { voter: name(a) }]) {
    t.deepEqual(w.ask('voting', 'evidence', args), { evidence: [evidence], next: null });
  }
  t.deepEqual(w.ask('voting', 'evidence', { voter: name(b) }), { evidence: [], next: null });
});

test('V4: who votes for both is known also after the decision', (t) => {
  const w = new TimedWorld();
  w.run([open('r', { voters, required: 1 })]);
  w.run([cast('r', 'approve')], a);
  t.deepEqual(w.run([cast('r', 'reject')], a), ['ok']);
  t.like(view(w, 'r'), { status: 'approved', approvals: 1, rejections: 0 });
  t.deepEqual(w.run([cast('r', 'reject')], b), ['round_closed']);
});

test('V4: a vote has the weight of its voter', (t) => {
  const w = new TimedWorld();
  const weighted = [3, 2, 2].map((weight, at) => ({ voter: name(signers[at]!), weight }));
  w.run([open('r', { voters: weighted, required: 4 })]);
  w.run([cast('r', 'reject')], b);
  t.like(view(w, 'r'), { status: 'open', rejections: 2, total: 7 });
  w.run([cast('r', 'approve')], a);
  t.like(view(w, 'r'), { status: 'open', approvals: 3 });
  w.run([cast('r', 'approve')], c);
  t.like(view(w, 'r'), { status: 'approved', approvals: 5 });
});

const bad: readonly (readonly [string, Call, string])[] = [
  ['a round of the same id', open('taken'), 'round_exists'],
  ['a voter twice', open('r', { voters: [...voters, voters[0]!], required: 1 }), 'voter_twice'],
  ['more than all voters', open('r', { voters, required: 5 }), 'required_too_high'],
  ['nothing required', open('r', { voters, required: 0 }), 'invalid_args'],
  ['voters without what is required', open('r', { voters }), 'required_missing'],
  ['nobody', open('r', { voters: [], required: 1 }), 'invalid_args'],
  [
    'too many voters',
    open('r', {
      voters: Array.from({ length: 129 }, (_, at) => ({ voter: `module:m${at}` })),
      required: 1,
    }),
    'invalid_args',
  ],
  [
    'a voter that no key signs for',
    open('r', { voters: [{ voter: 'principal:api' }], required: 1 }),
    'invalid_args',
  ],
  [
    'no weight',
    open('r', { voters: [{ voter: name(a), weight: 0 }], required: 1 }),
    'invalid_args',
  ],
  ['an unknown committee', open('r', { committee: '0'.repeat(64) }), 'committee_not_found'],
  [
    'a committee and voters',
    open('r', { committee: '0'.repeat(64), voters, required: 1 }),
    'electorate_twice',
  ],
  [
    'a committee and a threshold',
    open('r', { committee: '0'.repeat(64), required: 1 }),
    'electorate_twice',
  ],
  [
    'a deadline that is over',
    open('r', { voters, required: 1, deadline: START_MS }),
    'deadline_out_of_range',
  ],
  [
    'a deadline that never comes',
    open('r', { voters, required: 1, deadline: 2 ** 52 }),
    'deadline_out_of_range',
  ],
  ['an id with a slash', open('a/b'), 'invalid_args'],
  ['an id that is none', open(''), 'invalid_args'],
  ['a vote in no round', cast('nowhere', 'approve'), 'round_not_found'],
  ['a vote for neither', cast('taken', 'abstain'), 'invalid_args'],
  [
    'a vote for another round of that id',
    cast('taken', 'approve', '0'.repeat(64)),
    'digest_mismatch',
  ],
];

for (const [what, each, code] of bad) {
  test(`refuses ${what} with ${code}, and nothing changes`, (t) => {
    const w = new TimedWorld();
    w.run([open('taken')]);
    const before = w.ask('voting', 'rounds', {});
    const committees = w.ask('voting', 'committees', {});
    t.deepEqual(w.run([each]), [code]);
    t.deepEqual(w.ask('voting', 'rounds', {}), before);
    t.deepEqual(w.ask('voting', 'committees', {}), committees);
  });
}
