import test from 'ava';
import type { Effect } from '../../protocols/messages.ts';
import { faultyMax, joinOf, quorumOf } from '../../protocols/quorum.ts';
import type { Block, Certificate, Vote } from '../../protocols/types.ts';
import { faults } from '../consensus/forge.ts';
import { Booth, told } from './booth.ts';

test('any two quorums share an honest validator, and the honest alone form one (I1, I2)', (t) => {
  for (let n = 1; n <= 128; n++) {
    const f = faultyMax(n);
    const q = quorumOf(n);
    t.true(2 * q - n >= f + 1, `n = ${n}: two quorums share f + 1`);
    t.true(q <= n - f, `n = ${n}: a quorum without the faulty`);
    t.true(n - joinOf(n) < q, `n = ${n}: without those who join no quorum forms`);
  }
  t.deepEqual([1, 3, 4, 7, 10].map(quorumOf), [1, 2, 3, 5, 7]);
});

test('tells consensus once a quorum of valid prepare votes is there (I81)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  t.is(
    told(
      booth.from(0, { kind: 'vote', vote: booth.forge.vote('prepare', block, 0) }),
      'prepareCertified',
    ).length,
    0,
  );
  booth.step({ kind: 'ownVote', vote: booth.forge.vote('prepare', block, 3) });
  const last = booth.from(1, { kind: 'vote', vote: booth.forge.vote('prepare', block, 1) });
  t.is(told(last, 'prepareCertified').length, 1);
  const more = booth.from(2, { kind: 'vote', vote: booth.forge.vote('prepare', block, 2) });
  t.is(told(more, 'prepareCertified').length, 0);
});

for (const [kind, certified] of [
  ['prepare', 'prepareCertified'],
  ['commit', 'commitCertified'],
] as const) {
  test(`a bad ${kind} signature is reported and the next vote takes its place (I81, B7)`, (t) => {
    const booth = new Booth();
    const block = booth.forge.block({});
    const bad = { ...booth.forge.vote(kind, block, 0), signature: new Uint8Array(64) };
    booth.from(0, { kind: 'vote', vote: bad });
    booth.from(1, { kind: 'vote', vote: booth.forge.vote(kind, block, 1) });
    const third = booth.from(2, { kind: 'vote', vote: booth.forge.vote(kind, block, 2) });
    t.deepEqual(faults(third), ['bad_vote_signature']);
    t.is(told(third, certified).length, 0);
    const own = booth.step({ kind: 'ownVote', vote: booth.forge.vote(kind, block, 3) });
    t.is(told(own, certified).length, 1);
  });
}

test('repeated votes count once; votes for two blocks make no certificate (I80)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  const other = booth.forge.block({ timestamp: block.timestamp + 1 });
  for (let times = 0; times < 3; times++) {
    t.is(
      told(
        booth.from(0, { kind: 'vote', vote: booth.forge.vote('commit', block, 0) }),
        'commitCertified',
      ).length,
      0,
    );
  }
  booth.from(1, { kind: 'vote', vote: booth.forge.vote('commit', block, 1) });
  t.is(
    told(
      booth.from(2, { kind: 'vote', vote: booth.forge.vote('commit', other, 2) }),
      'commitCertified',
    ).length,
    0,
  );
});

test("takes votes and timeouts only from their signer's own channel (I85)", (t) => {
  const booth = new Booth();
  const vote = booth.forge.vote('prepare', booth.forge.block({}), 0);
  t.deepEqual(faults(booth.from(1, { kind: 'vote', vote })), ['vote_of_another']);
  const timeout = booth.forge.timeout(0, 0);
  const message = { kind: 'timeout', timeout, highest: null, handOver: null } as const;
  t.deepEqual(faults(booth.from(1, message)), ['timeout_of_another']);
});

test('tells who voted by checked votes only, late ones too (B3)', (t) => {
  const booth = new Booth();
  const vote = (block: Block, voter: number): Vote =>
    booth.forge.vote('prepare', block, voter, { first: false });
  const lastVoted = (height: number, late: (block: Block) => Vote): readonly number[] => {
    const block = booth.forge.block({ height });
    const hear = (voter: number): Effect[] =>
      booth.from(voter, { kind: 'vote', vote: vote(block, voter) });
    hear(1);
    booth.step({ kind: 'ownVote', vote: vote(block, 3) });
    const [certified] = told(hear(2), 'prepareCertified');
    booth.from(0, { kind: 'vote', vote: late(block) });
    return certified?.kind === 'prepareCertified' ? certified.lastVoted : [];
  };
  const good = (block: Block): Vote => vote(block, 0);
  const bad = (block: Block): Vote => ({ ...good(block), signature: new Uint8Array(64) });
  t.deepEqual(lastVoted(8, bad), [0, 8, 8, 8]);
  t.deepEqual(lastVoted(9, good), [0, 9, 9, 9]);
  t.deepEqual(lastVoted(10, good), [9, 10, 10, 10]);
});

test('hands a certificate for another block at a certified place to consensus (I91)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  const other = booth.forge.block({ timestamp: block.timestamp + 1 });
  const hand = (kind: 'prepare' | 'commit', of: Block, certified: string): number => {
    const certificate = booth.forge.certificate(kind, of, [0, 1, 2]);
    return told(booth.from(1, { kind: 'certificate', certificate }), certified).length;
  };
  t.is(hand('prepare', block, 'prepareCertified'), 1);
  t.is(hand('prepare', block, 'prepareCertified'), 0, 'nothing new');
  t.is(hand('prepare', other, 'prepareCertified'), 1);
  booth.step({ kind: 'finalTo', height: 3 });
  t.is(hand('commit', other, 'commitCertified'), 1, 'below the final height');
});

test('a commit certificate for a final height is checked once, and not when it is old (I91)', (t) => {
  const booth = new Booth();
  const certificates = Array.from({ length: 40 }, (_, at) =>
    booth.forge.certificate('commit', booth.forge.block({ height: at + 1 }), [0, 1, 2]),
  );
  const hand = (certificate: Certificate): [told: number, checked: number] => {
    const before = booth.verified;
    const effects = booth.from(0, { kind: 'certificate', certificate });
    t.deepEqual(faults(effects), []);
    return [told(effects, 'commitCertified').length, booth.verified - before];
  };
  t.deepEqual(hand(certificates[38]!), [1, 3]);
  booth.step({ kind: 'finalTo', height: 40 });
  t.deepEqual(hand(certificates[38]!), [0, 0], 'known before it was final');
  t.deepEqual(hand(certificates[39]!), [1, 3], 'it might be for another branch');
  t.deepEqual(hand(certificates[39]!), [0, 0]);
  t.deepEqual(hand(certificates[0]!), [0, 0], 'consensus does not remember that height');
});

test('n − q + 1 timeouts make this node join, q make the certificate (I83)', (t) => {
  const booth = new Booth();
  const send = (voter: number): Effect[] =>
    booth.from(voter, {
      kind: 'timeout',
      timeout: booth.forge.timeout(0, voter),
      highest: null,
      handOver: null,
    });
  t.is(told(send(0), 'timeoutsJoined').length, 0);
  t.is(told(send(1), 'timeoutsJoined').length, 1);
  t.is(told(send(2), 'timeoutCertified').length, 1);
});

test('a timeout with a certificate that does not back its claim is left out (I83)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  const highest = booth.forge.certificate('prepare', block);
  const claim = booth.forge.timeout(0, 0, highest);
  booth.from(0, { kind: 'timeout', timeout: claim, highest: null, handOver: null });
  for (const voter of [1, 2]) {
    const effects = booth.from(voter, {
      kind: 'timeout',
      timeout: booth.forge.timeout(0, voter),
      highest: null,
      handOver: null,
    });
    t.is(told(effects, 'timeoutCertified').length, 0);
  }
  const own = booth.step({ kind: 'ownTimeout', timeout: booth.forge.timeout(0, 3), highest: null });
  t.is(told(own, 'timeoutCertified').length, 1);
});

test('keeps one timeout per validator, the highest (I82)', (t) => {
  const booth = new Booth();
  const send = (voter: number, term: number): Effect[] =>
    booth.from(voter, {
      kind: 'timeout',
      timeout: booth.forge.timeout(term, voter),
      highest: null,
      handOver: null,
    });
  send(0, 7);
  send(0, 0);
  send(1, 0);
  t.is(told(send(2, 0), 'timeoutCertified').length, 0, 'validator 0 is at term 7');
  t.is(
    told(
      booth.step({ kind: 'ownTimeout', timeout: booth.forge.timeout(0, 3), highest: null }),
      'timeoutCertified',
    ).length,
    1,
  );
});

test('a second timeout of a term does not take the place of the first (I82)', (t) => {
  const booth = new Booth();
  const highest = booth.forge.certificate('prepare', booth.forge.block({}));
  const send = (voter: number, claim: Certificate | null): Effect[] =>
    booth.from(voter, {
      kind: 'timeout',
      timeout: booth.forge.timeout(0, voter, claim),
      highest: claim,
      handOver: null,
    });
  send(0, highest);
  t.deepEqual(send(0, null), []);
  send(1, null);
  const [told0] = told(send(2, null), 'timeoutCertified');
  t.is(told0?.kind === 'timeoutCertified' ? told0.certificate.highest : null, highest);
});

test('a good timeout is checked once, however often a bad one comes beside it (I83)', (t) => {
  const booth = new Booth();
  for (const voter of [0, 1]) {
    const timeout = booth.forge.timeout(0, voter);
    booth.from(voter, { kind: 'timeout', timeout, highest: null, handOver: null });
  }
  const bad = { ...booth.forge.timeout(0, 2), signature: new Uint8Array(64) };
  const message = { kind: 'timeout', timeout: bad, highest: null, handOver: null } as const;
  const before = booth.verified;
  t.deepEqual(faults(booth.from(2, message)), ['bad_timeout']);
  t.is(booth.verified - before, 3);
  for (let times = 0; times < 10; times++) booth.from(2, message);
  t.is(booth.verified - before, 13);
  const own = booth.step({ kind: 'ownTimeout', timeout: booth.forge.timeout(0, 3), highest: null });
  t.is(told(own, 'timeoutCertified').length, 1);
  t.is(booth.verified - before, 14);
});

test('a certificate handed on is checked whatever its kind (I3)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  const good = booth.forge.certificate('commit', block);
  const forged = {
    ...good,
    votes: good.votes.map((vote) => ({ ...vote, signature: new Uint8Array(64) })),
  };
  t.deepEqual(faults(booth.from(0, { kind: 'certificate', certificate: forged })), [
    'bad_certificate',
  ]);
  t.is(
    told(booth.from(0, { kind: 'certificate', certificate: good }), 'commitCertified').length,
    1,
  );
});

test('takes votes for first blocks at any height, for others near the final one (I86, I93)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({ height: 5_000 });
  const cast = (first: boolean): number => {
    for (const voter of [0, 1])
      booth.from(voter, {
        kind: 'vote',
        vote: booth.forge.vote('commit', block, voter, { first }),
      });
    const vote = booth.forge.vote('commit', block, 2, { first });
    return told(booth.from(2, { kind: 'vote', vote }), 'commitCertified').length;
  };
  t.is(cast(false), 0);
  t.is(cast(true), 1);
});

test('forgets votes of terms long ago, so that failed terms never fill its memory (I86)', (t) => {
  const booth = new Booth();
  const found: string[] = [];
  const signed = booth.forge.vote('prepare', booth.forge.block({}), 0);
  for (let term = 0; term < 3_000; term++) {
    booth.step({ kind: 'termEntered', epoch: 0, term });
    const vote = { ...signed, term, height: 1 + term };
    found.push(...faults(booth.from(0, { kind: 'vote', vote })));
  }
  t.deepEqual(found, []);
  const { voteSets } = booth.machine.status();
  t.true(voteSets < 200);
  booth.from(0, { kind: 'vote', vote: { ...signed, term: 2_000, height: 300 } });
  t.is(booth.machine.status().voteSets, voteSets, 'nor are they taken again');
});

test("one validator's votes are bounded, and freed when their height is final (I86)", (t) => {
  const booth = new Booth();
  const signed = booth.forge.vote('prepare', booth.forge.block({}), 0);
  const flood = (): string[] => {
    const found: string[] = [];
    for (let height = 1; height <= 512; height++) {
      for (let term = 0; term < 8; term++)
        found.push(...faults(booth.from(0, { kind: 'vote', vote: { ...signed, height, term } })));
    }
    return found;
  };
  t.true(flood().includes('vote_flood'));
  t.true(booth.machine.status().voteSets <= 2048);
  booth.step({ kind: 'finalTo', height: 512 });
  t.is(booth.machine.status().voteSets, 0);
});
