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

test('the last of many may win as the first may', () => {
  const { run, advance } = world();
  const raffles = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const raffle of raffles) run('olga', 'open', { raffle, forMs: 1_000_000 });
  const entrants = Array.from({ length: 256 }, (_, n) => String(n).padStart(200, '0'));
  for (const name of entrants) for (const raffle of raffles) run(name, 'enter', { raffle });
  const winners = advance(1_000_000).flatMap(({ events }) => events.map(({ data }) => data.winner));
  const numbers = winners.map((winner) => Number(winner.replace('principal:', '')));
  assert.equal(numbers.length, raffles.length);
  assert.ok(Math.max(...numbers) >= 160 && Math.min(...numbers) < 160, numbers.join());
});

test('who enters one raffle does not enter another, nor the same one twice', () => {
  const { run, advance } = world();
  run('olga', 'open', { raffle: 'a', forMs: 1000 });
  run('olga', 'open', { raffle: 'a-x', forMs: 2000 });
  assert.equal(run('olga', 'open', { raffle: 'a/x', forMs: 2000 }).error.code, 'invalid_args');
  run('mallory', 'enter', { raffle: 'a-x' });
  assert.equal(run('mallory', 'enter', { raffle: 'a-x' }).error.code, 'entered_before');
  const [drawn] = advance(1000).flatMap(({ events }) => events);
  assert.deepEqual(drawn.data, { raffle: 'a', winner: null });
});

test('nobody enters a raffle that is over, or that is not there', () => {
  const { run, advance } = world();
  run('olga', 'open', { raffle: 'spring', forMs: 1000 });
  advance(1000);
  assert.equal(run('ann', 'enter', { raffle: 'spring' }).error.code, 'raffle_over');
  assert.equal(run('ann', 'enter', { raffle: 'summer' }).error.code, 'unknown_raffle');
});
