import test from 'ava';
import { nodes as validators, alice } from '../transaction/fixture.ts';
import { World } from './run.ts';

const digest = 'ab'.repeat(32);
const upgrade = { name: 'raffle', version: 2, digest, height: 40 };
const approve = (args: object = upgrade) => ({
  module: 'programs',
  command: 'approve',
  args: args as never,
});

test('Y1: an upgrade is committed when a quorum of validators has approved the same', (t) => {
  const world = new World();
  t.deepEqual(world.run([approve()], validators[0]), ['ok']);
  t.deepEqual(world.run([approve({ ...upgrade, version: 3 })], validators[1]), ['ok']);
  t.deepEqual(world.run([approve()], validators[1]), ['ok']);
  t.like(world.ask('programs', 'upgrades', {}), { upgrades: [] });
  const [receipt] = world.receipts([approve()], validators[2]);
  t.deepEqual(
    receipt!.events.map(({ name }) => name),
    ['approved', 'committed'],
  );
  t.deepEqual(world.ask('programs', 'upgrades', {}), {
    upgrades: [{ ...upgrade, outcome: 'waiting' }],
    next: null,
  });
  t.deepEqual(world.run([approve()], validators[3]), ['height_taken']);
});

test('Y1: each validator counts once, and nobody else at all', (t) => {
  const world = new World();
  t.deepEqual(world.run([approve(), approve()], validators[0]), ['ok', 'already_approved']);
  t.deepEqual(world.run([approve()], alice), ['not_validator']);
  t.like(world.ask('programs', 'proposals', {}), {
    proposals: [{ ...upgrade, approvals: [validators[0]!.publicKey] }],
  });
});

test('an upgrade leaves the others time to prepare', (t) => {
  const world = new World();
  t.deepEqual(world.run([approve({ ...upgrade, height: 5 })], validators[0]), ['height_passed']);
});
