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
    upgrades: [{ ...upgrade, outcome: 'waiting', withdrawals: [] }],
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

const proposals = (world: World) =>
  (world.ask('programs', 'proposals', {}) as { proposals: { height: number; name: string }[] })
    .proposals;

test('Y2: the last approval of a validator for a module counts, and the one before no more', (t) => {
  const world = new World();
  const other = { ...upgrade, version: 3, height: 41 };
  world.run([approve()], validators[0]);
  world.run([approve()], validators[1]);
  t.deepEqual(world.run([approve(other)], validators[0]), ['ok']);
  t.is(proposals(world).length, 2);
  world.run([approve()], validators[2]);
  t.like(world.ask('programs', 'upgrades', {}), { upgrades: [] });
  t.deepEqual(world.run([approve(other)], validators[1]), ['ok']);
  t.deepEqual(world.run([approve(other)], validators[2]), ['ok']);
  t.like(world.ask('programs', 'upgrades', {}), { upgrades: [other] });
  t.deepEqual(proposals(world), []);
});

test('Y2: proposals whose height has come are gone with the next approval', (t) => {
  const world = new World();
  world.run([approve({ ...upgrade, height: 20 })], validators[0]);
  t.is(proposals(world).length, 1);
  for (let height = 0; height < 6; height++) world.run([approve()], alice);
  world.run([approve({ ...upgrade, name: 'other' })], validators[1]);
  t.deepEqual(
    proposals(world).map(({ name }) => name),
    ['other'],
  );
});

test('Y2: a validator has a bounded number of open proposals', (t) => {
  const world = new World();
  const codes = world.run(
    Array.from({ length: 18 }, (_, at) => approve({ ...upgrade, name: `m${at}` })),
    validators[0],
  );
  t.deepEqual(codes, [...Array<string>(16).fill('ok'), 'too_many_proposals', 'too_many_proposals']);
  t.is(proposals(world).length, 16);
});
