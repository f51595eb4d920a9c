import test from 'ava';
import { chainOf, faults, finalised, Forge, started, tipAt } from './forge.ts';

test('a commit certificate makes its block and all ancestors final, in order (I91)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  for (const block of chain) seat.propose(block);
  t.deepEqual(finalised(seat.committed(chain[2]!)), [1, 2, 3]);
  t.is(seat.machine.status().finalHeight, 3);
  t.deepEqual(finalised(seat.committed(chain[1]!)), []);
});

test('a commit certificate counts whatever term the receiver is in (B6)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  seat.propose(block!);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(6) });
  t.deepEqual(finalised(seat.committed(block!)), [1]);
});

test('a certificate for another branch stops the node (I91)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  seat.propose(block!);
  seat.committed(block!);
  const other = forge.block({ timestamp: block!.timestamp + 7 });
  t.throws(() => seat.committed(other), { message: /more than f validators are faulty/ });
});

test('a certificate for another branch stops the node also below its final height (I91)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  for (const block of chain) seat.propose(block);
  seat.committed(chain[2]!);
  t.deepEqual(faults(seat.committed(chain[0]!)), []);
  const other = forge.block({ timestamp: chain[0]!.timestamp + 7 });
  t.throws(() => seat.committed(other), { message: /more than f validators are faulty/ });
});

test('two prepare certificates for one place stop the node (I91)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  seat.propose(block!);
  seat.prepared(block!);
  seat.prepared(block!);
  const other = forge.block({ timestamp: block!.timestamp + 7 });
  t.throws(() => seat.prepared(other), { message: /more than f validators are faulty/ });
});

test('a certified chain that leaves our own stops the node, and is no fault of who sends it (I91)', (t) => {
  const forge = new Forge();
  const chain = chainOf(forge, 2);
  const branch = [forge.block({ timestamp: chain[0]!.timestamp + 7 })];
  while (branch.length < 4) branch.push(forge.child(branch.at(-1)!));
  /** Asked for blocks from `fromHeight` on, the peer answers with these of the other branch. */
  const shown = (fromHeight: number, toHeight: number, finalHeight: number): void => {
    const seat = started(forge);
    for (const block of chain) seat.propose(block);
    if (fromHeight > 1) seat.committed(chain[fromHeight - 2]!);
    const [asked] = seat
      .committed(branch[3]!)
      .flatMap((e) => (e.kind === 'send' && e.message.kind === 'fetchBlocks' ? [e] : []));
    t.deepEqual(asked?.message, { kind: 'fetchBlocks', fromHeight });
    if (finalHeight >= fromHeight) seat.committed(chain[finalHeight - 1]!);
    const blocks = branch.slice(fromHeight - 1, toHeight);
    const certificate = forge.certificate('commit', blocks.at(-1)!);
    seat.from(asked!.to, { kind: 'blocks', blocks, certificate });
  };
  const stops = { message: /more than f validators/ };
  t.throws(() => shown(2, 4, 1), stops);
  t.throws(() => shown(1, 4, 1), stops, 'its own block became final meanwhile');
  t.throws(() => shown(1, 2, 2), stops, 'as many of them');
});

test('only commit certificates tell of a height that others finalised', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 5);
  seat.prepared(chain[4]!);
  t.is(seat.machine.status().knownFinalHeight, 0);
  seat.committed(chain[3]!);
  t.is(seat.machine.status().knownFinalHeight, 4);
});

test('final blocks are restored from the log and go on from there (I91)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  for (const block of chain) seat.propose(block);
  seat.committed(chain[1]!);
  const again = seat.restarted();
  again.start();
  t.is(again.machine.status().finalHeight, 2);
  again.propose(chain[2]!);
  t.deepEqual(finalised(again.committed(chain[2]!)), [3]);
});

test('keeps nothing about blocks that are final, neither in its course nor after a restart (I91)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  for (const block of chainOf(forge, 5)) {
    seat.proposeHeld(block);
    seat.prepared(block);
    seat.committed(block);
    seat.step({ kind: 'cutHeld', block: forge.digest(block) });
  }
  t.is(seat.machine.status().blocksKept, 0);
  t.is(seat.log.filter(({ kind }) => kind === 'commitVoted').length, 5);
  t.is(seat.restarted().machine.status().blocksKept, 0);
});

test('forgets a block that it wanted once another is final in its place', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  const dead = forge.block({ timestamp: block!.timestamp + 1 });
  seat.prepared(dead);
  t.true(seat.machine.status().blocksKept > 0);
  const justify = { kind: 'timeouts', certificate: forge.timeoutCertificate(0) } as const;
  const other = forge.block({ term: 1, justify });
  seat.propose(other);
  seat.committed(other);
  t.is(seat.machine.status().blocksKept, 0);
});

test('stops when its own checkpoint differs from a certified one, whichever comes first (I92)', (t) => {
  const forge = new Forge();
  const own = {
    height: 16,
    stateRoot: tipAt(0, 'a').digest,
    receiptsRoot: tipAt(0, 'b').digest,
    pendingSet: forge.block({}).executed.pendingSet,
  };
  const other = { ...own, stateRoot: tipAt(0, 'c').digest };
  const block = forge.block({ executed: other });
  const early = started(forge);
  early.step({ kind: 'checkpointExecuted', executed: own });
  early.propose(block);
  t.throws(() => early.committed(block), { message: /this node computed state/ });
  const late = started(forge);
  late.propose(block);
  late.committed(block);
  t.throws(() => late.step({ kind: 'checkpointExecuted', executed: own }), {
    message: /this node computed state/,
  });
});
