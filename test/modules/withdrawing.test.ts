/** Y3: the way back from an upgrade that is committed. */
import test from 'ava';
import { alice, bob, nodes as validators } from '../transaction/fixture.ts';
import { World } from './run.ts';

const upgrade = { name: 'raffle', version: 2, digest: 'ab'.repeat(32), height: 40 };
const call = (command: 'approve' | 'withdraw', args: object) => ({
  module: 'programs',
  command,
  args: args as never,
});
const approve = (args: object = upgrade) => call('approve', args);
const withdraw = (args: object = upgrade) => call('withdraw', args);

interface Upgrades {
  readonly upgrades: readonly { readonly withdrawals: readonly string[] }[];
}
const upgrades = (world: World) => (world.ask('programs', 'upgrades', {}) as Upgrades).upgrades;
const proposals = (world: World) =>
  (world.ask('programs', 'proposals', {}) as { proposals: { approvals: string[] }[] }).proposals;

function committed(args: object = upgrade): World {
  const world = new World();
  for (const validator of validators.slice(0, 3)) world.run([approve(args)], validator);
  return world;
}

test('Y3: a quorum withdraws a committed upgrade, whoever of them had approved it', (t) => {
  const world = committed();
  const names: string[][] = [];
  for (const validator of validators.slice(1)) {
    t.is(upgrades(world).length, 1);
    const [receipt] = world.receipts([withdraw()], validator);
    t.is(receipt!.status, 'ok');
    names.push(receipt!.events.map(({ name }) => name));
  }
  t.deepEqual(names, [['opposed'], ['opposed'], ['opposed', 'withdrawn']]);
  t.deepEqual(upgrades(world), []);
  t.deepEqual(proposals(world), []);
  t.deepEqual(world.run([withdraw()], validators[0]), ['not_approved']);
});

test('Y3: fewer than a quorum withdraw nothing, however often they say so', (t) => {
  const world = committed();
  t.deepEqual(world.run([withdraw(), withdraw(), withdraw()], validators[0]), [
    'ok',
    'already_opposed',
    'already_opposed',
  ]);
  t.deepEqual(world.run([withdraw()], validators[3]), ['ok']);
  t.deepEqual(world.run([withdraw()], validators[3]), ['already_opposed']);
  t.deepEqual(upgrades(world)[0]!.withdrawals, [
    validators[0]!.publicKey,
    validators[3]!.publicKey,
  ]);
});

test('Y3: nobody else withdraws anything, in whatever form', (t) => {
  const world = committed();
  for (const other of [alice, bob]) t.deepEqual(world.run([withdraw()], other), ['not_validator']);
  for (const other of [
    { ...upgrade, version: 3 },
    { ...upgrade, name: 'other' },
    { ...upgrade, digest: 'cd'.repeat(32) },
    { ...upgrade, digest: '' },
    { ...upgrade, height: 41 },
  ]) {
    for (const validator of validators) {
      t.deepEqual(world.run([withdraw(other)], validator), ['not_approved']);
    }
  }
  const { digest: _, ...incomplete } = upgrade;
  for (const odd of [
    incomplete,
    { ...upgrade, height: 0 },
    { ...upgrade, height: -40 },
    { ...upgrade, height: '40' },
    { ...upgrade, validator: validators[1]!.publicKey },
    null,
  ]) {
    t.deepEqual(world.run([withdraw(odd as never)], validators[0]), ['invalid_args']);
  }
  t.deepEqual(upgrades(world)[0]!.withdrawals, []);
});

test('Y3: what was withdrawn may be approved anew, and is counted anew', (t) => {
  const world = committed();
  for (const validator of validators.slice(0, 3)) world.run([withdraw()], validator);
  t.deepEqual(world.run([approve()], validators[3]), ['ok']);
  t.deepEqual(upgrades(world), []);
  t.deepEqual(proposals(world)[0]!.approvals, [validators[3]!.publicKey]);
  for (const validator of validators.slice(0, 2)) world.run([approve()], validator);
  t.like(upgrades(world), [{ ...upgrade, outcome: 'waiting', withdrawals: [] }]);
  for (const validator of validators.slice(0, 2)) world.run([withdraw()], validator);
  t.is(upgrades(world).length, 1, 'withdrawals, too');
});

test('Y3: the height is free for another upgrade afterwards', (t) => {
  const world = committed();
  const other = { ...upgrade, name: 'lottery' };
  t.deepEqual(world.run([approve(other)], validators[0]), ['height_taken']);
  for (const validator of validators.slice(0, 3)) world.run([withdraw()], validator);
  for (const validator of validators.slice(0, 3)) world.run([approve(other)], validator);
  t.like(upgrades(world), [other]);
});

test('Y3: of what a validator says of a committed upgrade the last counts', (t) => {
  const world = committed();
  for (const validator of validators.slice(0, 2)) world.run([withdraw()], validator);
  const [receipt] = world.receipts([approve()], validators[0]);
  t.deepEqual(
    receipt!.events.map(({ name }) => name),
    ['approved'],
  );
  t.deepEqual(world.run([approve()], validators[0]), ['height_taken']);
  t.deepEqual(world.run([withdraw()], validators[2]), ['ok']);
  t.deepEqual(upgrades(world)[0]!.withdrawals, [
    validators[1]!.publicKey,
    validators[2]!.publicKey,
  ]);
  t.deepEqual(world.run([withdraw()], validators[0]), ['ok']);
  t.deepEqual(upgrades(world), []);
});

test('Y3: the last counts up to the height, and says nothing from there on', (t) => {
  const late = { name: 'kv', version: 1, digest: '', height: 20 };
  const world = committed(late);
  for (const validator of validators.slice(0, 2)) world.run([withdraw(late)], validator);
  const pass = (height: number): void => {
    while (world.chain.executor.height < height) world.run([withdraw()], alice);
  };
  pass(17);
  t.deepEqual(world.run([approve(late)], validators[0]), ['ok'], 'no notice is needed for that');
  t.deepEqual(world.run([approve(late), withdraw(late)], validators[2]), ['height_passed', 'ok']);
  t.is(world.chain.executor.height, 19);
  const withdrawals = [validators[1]!.publicKey, validators[2]!.publicKey];
  t.like(upgrades(world), [{ outcome: 'waiting', withdrawals }]);
  t.deepEqual(world.run([approve(late)], validators[1]), ['height_passed']);
  t.like(upgrades(world), [{ outcome: 'failed', withdrawals }]);
});

test('Y3: a validator that asks for withdrawing approves nothing else at that height', (t) => {
  const world = committed();
  world.run([withdraw()], validators[0]);
  const other = { ...upgrade, version: 3 };
  t.deepEqual(world.run([approve(other)], validators[0]), ['height_taken']);
  t.deepEqual(upgrades(world)[0]!.withdrawals, [validators[0]!.publicKey]);
});

test('Y3: before a quorum has approved a validator takes its own approval back, and no other', (t) => {
  const world = new World();
  for (const validator of validators.slice(0, 2)) world.run([approve()], validator);
  t.deepEqual(world.run([withdraw()], validators[2]), ['not_approved']);
  const [receipt] = world.receipts([withdraw()], validators[0]);
  t.deepEqual(
    receipt!.events.map(({ name }) => name),
    ['takenBack'],
  );
  t.deepEqual(proposals(world)[0]!.approvals, [validators[1]!.publicKey]);
  t.deepEqual(world.run([withdraw()], validators[0]), ['not_approved']);
  world.run([approve()], validators[2]);
  t.deepEqual(upgrades(world), [], 'two approve it now');
  t.deepEqual(world.run([withdraw(), approve()], validators[1]), ['ok', 'ok']);
  for (const validator of validators.slice(1, 3)) world.run([withdraw()], validator);
  t.deepEqual(proposals(world), []);
});

test('Y3: from the block of its height on an upgrade is withdrawn no more', (t) => {
  // What fails takes place nowhere either; and no module of the software is of version 1 twice.
  const late = { name: 'kv', version: 1, digest: '', height: 20 };
  const world = committed(late);
  const pass = (height: number): void => {
    while (world.chain.executor.height < height) world.run([withdraw()], alice);
  };
  pass(18);
  t.deepEqual(world.run([withdraw(late)], validators[0]), ['ok'], 'in the last block before it');
  t.is(world.chain.executor.height, 19);
  for (const validator of validators) {
    t.deepEqual(world.run([withdraw(late)], validator), ['too_late']);
  }
  t.like(upgrades(world), [
    { ...late, outcome: 'failed', withdrawals: [validators[0]!.publicKey] },
  ]);
});
