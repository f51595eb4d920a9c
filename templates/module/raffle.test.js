import assert from 'node:assert/strict';
import test from 'node:test';
import { testWorld } from 'althing/module/testing';

const world = () => testWorld(new URL('./raffle.ts', import.meta.url));

test('whoever entered wins when the time has come', () => {
  const { run, ask, advance } = world();
  assert.equal(run('olga', 'open', { raffle: 'spring', forMs: 1000 }).status, 'ok');
  for (const name of ['ann', 'ben', 'cleo']) run(name, 'enter', { raffle: 'spring' });
  const [drawn] = advance(1000).flatMap(({ events }) => events);
  assert.equal(drawn.name, 'drawn');
  assert.match(drawn.data.winner, /^principal:(ann|ben|cleo)$/);
  assert.equal(ask('raffle', { raffle: 'spring' }).winner, drawn.data.winner);
  assert.deepEqual(ask('rafflesOf', { owner: 'principal:olga' }), ['spring']);
});

test('nobody enters a raffle that is over, or that is not there', () => {
  const { run, advance } = world();
  run('olga', 'open', { raffle: 'spring', forMs: 1000 });
  advance(1000);
  assert.equal(run('ann', 'enter', { raffle: 'spring' }).error.code, 'raffle_over');
  assert.equal(run('ann', 'enter', { raffle: 'summer' }).error.code, 'unknown_raffle');
});
