import test from 'ava';
import { at, Heights, play } from './scenario.ts';

test('a batch that its owner withholds is fetched from those who have it (A4, I66)', (t) => {
  let fetches = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({ seed, byzantine: { 2: ['withholder'] } });
    t.is(outcome.violation, null, `seed ${seed}`);
    fetches += outcome.coverage['fetches'] ?? 0;
  }
  t.true(fetches > 10, `${fetches} fetches`);
});

test('a node that comes back is not misled by the first peer that it asks (I90)', (t) => {
  const accused: string[] = [];
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({
      seed,
      byzantine: { 0: ['falseWitness'] },
      profile: { heartbeatMs: 20 },
      observe: { faulted: (_node, peer, code) => accused.push(`${peer} ${code}`) },
      arrange: (world) => at(world, 300, () => world.nodes[2]?.crashFor(1_500)),
    });
    t.is(outcome.violation, null, `seed ${seed}`);
  }
  t.true(accused.includes('0 bad_blocks'), 'the lie was told and seen');
});

test('a peer that drips blocks keeps nobody behind (I100)', (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const { world, outcome } = play({
      seed,
      byzantine: { 0: ['dripper'] },
      profile: { heartbeatMs: 8, faultsMs: 4_000 },
      arrange: (made) => at(made, 100, () => made.nodes[3]?.crashFor(3_500)),
    });
    t.is(outcome.violation, null, `seed ${seed}`);
    t.true(outcome.finalHeight > 130, `seed ${seed} height ${outcome.finalHeight}`);
    const status = world.nodes[3]?.machines?.consensus.status();
    t.true((status?.finalHeight ?? 0) >= outcome.finalHeight - 2, `seed ${seed}`);
  }
});

test('a node that was away for hundreds of blocks catches up (A6, I90)', (t) => {
  const { world, outcome } = play({
    profile: { heartbeatMs: 8, faultsMs: 4_000 },
    arrange: (made) => at(made, 100, () => made.nodes[3]?.crashFor(3_500)),
  });
  t.is(outcome.violation, null);
  t.true(outcome.finalHeight > 130, `height ${outcome.finalHeight}`);
  const status = world.nodes[3]?.machines?.consensus.status();
  t.true((status?.finalHeight ?? 0) >= outcome.finalHeight - 2);
});

test('bad commit signatures spoil no certificate that a node needs that was away (I81, I90)', (t) => {
  const { world, outcome } = play({
    byzantine: { 0: ['badCommitter'] },
    profile: { heartbeatMs: 8, faultsMs: 3_000 },
    arrange: (made) => at(made, 100, () => made.nodes[2]?.crashFor(2_000)),
  });
  t.is(outcome.violation, null);
  t.true(outcome.finalHeight > 64, `height ${outcome.finalHeight}`);
  const status = world.nodes[2]?.machines?.consensus.status();
  t.true((status?.finalHeight ?? 0) >= outcome.finalHeight - 2);
});

test('a leader that piles up prepared blocks halts nobody (I93)', (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const profile = { heartbeatMs: 8 };
    const { outcome } = play({ seed, byzantine: { 0: ['hoarder'] }, profile });
    t.is(outcome.violation, null, `seed ${seed}`);
    t.true(outcome.finalHeight > 64, `seed ${seed} height ${outcome.finalHeight}`);
  }
});

test('who was away catches up over more blocks than an answer holds, final by one certificate (I90)', (t) => {
  const heights: number[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    const { outcome } = play({
      seed,
      byzantine: { 0: ['hoarder'] },
      profile: { heartbeatMs: 8 },
      arrange: (made) => at(made, 1, () => made.nodes[3]?.crashFor(4_000)),
    });
    t.is(outcome.violation, null, `seed ${seed}`);
    heights.push(outcome.finalHeight);
  }
  t.true(Math.max(...heights) > 120, `heights ${heights.join()}`);
});

test('a leader that censors a lane is replaced, and the lane goes on (I38)', (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({ seed, byzantine: { 0: ['censor'] } });
    t.is(outcome.violation, null, `seed ${seed}`);
    t.true((outcome.coverage['terms'] ?? 0) >= 1, `seed ${seed} kept the censor`);
  }
});

test('a leader that is just quick enough slows the cluster down and stops nothing', (t) => {
  const heights = new Heights();
  const { outcome } = play({ byzantine: { 0: ['slowLeader'] }, observe: heights });
  t.is(outcome.violation, null);
  t.true(heights.between(0, 2_000) > 3);
});

test('an equivocating leader with a helper among its voters forks nothing (A1, I30, I31)', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { outcome } = play({
      seed,
      byzantine: { 0: ['equivocatingLeader', 'twoFirstBlocks', 'doubleVoter', 'hider'] },
    });
    t.is(outcome.violation, null, `seed ${seed}`);
  }
});

test('two equivocating leaders of seven fork nothing and are caught (A1, I84)', (t) => {
  let evidence = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const { outcome } = play({
      seed,
      nodes: 7,
      byzantine: { 0: ['equivocatingLeader', 'doubleVoter'], 1: ['twin', 'doubleVoter'] },
      profile: { faultsMs: 1_000 },
    });
    t.is(outcome.violation, null, `seed ${seed}`);
    evidence += outcome.coverage['evidence'] ?? 0;
  }
  t.true(evidence > 0);
});

test('two nodes under one key, each with its own half, fork nothing (A1)', (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({ seed, byzantine: { 3: ['twin'] }, profile: { faultsMs: 1_000 } });
    t.is(outcome.violation, null, `seed ${seed}`);
  }
});

test('a lane with two batches for one seq harms only its owner (I60, I62)', (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({ seed, byzantine: { 1: ['laneEquivocator', 'markLiar'] } });
    t.is(outcome.violation, null, `seed ${seed}`);
  }
});

test('a lane owner that shows each leader another batch than the others deposes nobody (D3, T1)', (t) => {
  let caught = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({ seed, byzantine: { 3: ['leaderDeceiver'] } });
    t.is(outcome.violation, null, `seed ${seed}`);
    t.is(outcome.coverage['terms'] ?? 0, 0, `seed ${seed} replaced a leader that did no wrong`);
    caught += outcome.coverage['faultsSeen'] ?? 0;
  }
  t.true(caught > 0, 'the owner is told on');
});

test('a certificate that one node alone knew of costs the next leader no term (B3, T1)', (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const { outcome } = play({
      seed,
      byzantine: { 0: ['secretCertificate'] },
      profile: { submissionsPerClient: 20, faultsMs: 4_000 },
    });
    t.is(outcome.violation, null, `seed ${seed}`);
    t.is(outcome.coverage['terms'], 1, `seed ${seed}: only the faulty leader is replaced`);
  }
});
