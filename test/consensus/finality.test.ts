import test from 'ava';
import type { Block } from '../../protocols/types.ts';
import { faults, Forge, Seat, tipAt } from './forge.ts';

function chainOf(forge: Forge, length: number): Block[] {
  const blocks = [forge.block({})];
  while (blocks.length < length) blocks.push(forge.child(blocks.at(-1)!));
  return blocks;
}

function finalised(effects: ReturnType<Seat['step']>): number[] {
  return effects.flatMap((effect) =>
    effect.kind === 'tell' && effect.message.kind === 'finalised'
      ? [effect.message.block.height]
      : [],
  );
}

function fetched(effects: ReturnType<Seat['step']>): number[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === 'fetchBlocks' ? [effect.to] : [],
  );
}

function started(forge: Forge): Seat {
  const seat = new Seat(forge, 3);
  seat.start();
  for (const peer of [0, 1, 2]) seat.step({ kind: 'peerConnected', peer });
  return seat;
}

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
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  seat.propose(block!);
  seat.committed(block!);
  const other = forge.block({ timestamp: block!.timestamp + 7 });
  const child = forge.child(other);
  const top = { kind: 'blocks', certificate: forge.certificate('commit', child) } as const;
  t.throws(() => seat.from(1, { ...top, blocks: [child] }), { message: /more than f validators/ });
  t.throws(() => seat.from(1, { ...top, blocks: [other, child] }), {
    message: /more than f validators/,
  });
  const same = { kind: 'blocks', certificate: forge.certificate('commit', other) } as const;
  t.throws(() => seat.from(1, { ...same, blocks: [other] }), { message: /more than f validators/ });
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

test('a node that was away fetches the final blocks and checks them (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 5);
  const asked = fetched(seat.committed(chain[4]!));
  t.is(asked.length, 1);
  const certificate = forge.certificate('commit', chain[4]!);
  const effects = seat.from(asked[0]!, { kind: 'blocks', blocks: chain, certificate });
  t.deepEqual(finalised(effects), [1, 2, 3, 4, 5]);
});

const lies: readonly [
  string,
  (
    forge: Forge,
    chain: Block[],
  ) => { blocks: Block[]; certificate: ReturnType<Forge['certificate']> },
][] = [
  [
    'a forged certificate',
    (forge, chain) => {
      const good = forge.certificate('commit', chain[4]!);
      return {
        blocks: chain,
        certificate: {
          ...good,
          votes: good.votes.map((v) => ({ ...v, signature: new Uint8Array(64) })),
        },
      };
    },
  ],
  [
    'a prepare certificate',
    (forge, chain) => ({ blocks: chain, certificate: forge.certificate('prepare', chain[4]!) }),
  ],
  [
    'a changed block in the middle',
    (forge, chain) => ({
      blocks: chain.map((block, at) =>
        at === 2 ? { ...block, cut: [tipAt(0, 'forged'), ...block.cut.slice(1)] } : block,
      ),
      certificate: forge.certificate('commit', chain[4]!),
    }),
  ],
  [
    'a gap',
    (forge, chain) => ({
      blocks: chain.filter((_, at) => at !== 1),
      certificate: forge.certificate('commit', chain[4]!),
    }),
  ],
  [
    'too few votes',
    (forge, chain) => ({
      blocks: chain,
      certificate: forge.certificate('commit', chain[4]!, [0, 1]),
    }),
  ],
];

for (const [what, lie] of lies) {
  test(`when the first peer lies with ${what}, another is asked and believed (I90)`, (t) => {
    const forge = new Forge();
    const seat = started(forge);
    const chain = chainOf(forge, 5);
    const [liar] = fetched(seat.committed(chain[4]!));
    const effects = seat.from(liar!, { kind: 'blocks', ...lie(forge, chain) });
    t.deepEqual(finalised(effects), []);
    t.true(faults(effects).includes('bad_blocks'));
    const [next] = fetched(effects);
    t.not(next, liar);
    const certificate = forge.certificate('commit', chain[4]!);
    t.deepEqual(
      finalised(seat.from(next!, { kind: 'blocks', blocks: chain, certificate })),
      [1, 2, 3, 4, 5],
    );
  });
}

test('catches up over more blocks than an answer holds under one certificate (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 70);
  const [peer] = fetched(seat.committed(chain[69]!));
  const certificate = forge.certificate('commit', chain[69]!);
  const part = { kind: 'blocks', blocks: chain.slice(0, 64), certificate } as const;
  const effects = seat.from(peer!, part);
  t.deepEqual(finalised(effects), []);
  t.deepEqual(faults(effects), []);
  const asked = effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === 'fetchBlocks' ? [effect] : [],
  );
  t.deepEqual(
    asked.map(({ to, message }) => [to, message]),
    [[peer!, { kind: 'fetchBlocks', fromHeight: 64 }]],
  );
  const rest = { kind: 'blocks', blocks: chain.slice(63), certificate } as const;
  t.is(finalised(seat.from(peer!, rest)).length, 70);
});

test('blocks that no certificate reaches yet count only as far as the next one certifies them (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  seat.committed(chain[2]!);
  const certificate = forge.certificate('commit', chain[2]!);
  const answer = (...blocks: Block[]): ReturnType<Seat['step']> =>
    seat.from(1, { kind: 'blocks', blocks, certificate });
  const justify = { kind: 'certificate', certificate } as const;
  t.true(faults(answer(chain[0]!, forge.child(chain[0]!, { justify }))).includes('bad_blocks'));
  const before = seat.machine.status().blocksKept;
  t.deepEqual(faults(answer(chain[0]!)), []);
  t.is(seat.machine.status().blocksKept, before, 'nothing certifies it yet');
  t.deepEqual(faults(answer(chain[0]!, chain[1]!)), []);
  t.is(seat.machine.status().blocksKept, before + 1);
});

test('a fetched block that its leader did not sign is refused (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 2);
  const certificate = forge.certificate('commit', chain[1]!);
  const stranger = forge.child(chain[0]!);
  const blocks = [chain[0]!, { ...stranger, signature: new Uint8Array(64) }];
  const effects = seat.from(1, { kind: 'blocks', blocks, certificate });
  t.true(faults(effects).includes('bad_blocks'));
  t.deepEqual(finalised(effects), []);
});

test('an answer that comes late or does not begin where this node stands accuses nobody (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 5);
  seat.committed(chain[4]!);
  const certificate = forge.certificate('commit', chain[4]!);
  const late = seat.from(0, { kind: 'blocks', blocks: chain.slice(2), certificate });
  t.deepEqual(faults(late), []);
  t.deepEqual(finalised(late), []);
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

test('serves final blocks as far as a certificate reaches (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  for (const block of chain) seat.propose(block);
  seat.committed(chain[0]!);
  seat.committed(chain[2]!);
  t.is(seat.machine.status().finalHeight, 3);
  const [read] = seat.from(1, { kind: 'fetchBlocks', fromHeight: 1 });
  t.is(read?.kind, 'readLog');
  const answerFrom = (from: number): readonly number[] => {
    const events = seat.log.filter(({ stream, seq }) => stream === 'chain' && seq >= from);
    const [answer] = seat.step({
      kind: 'logRead',
      tag: 'serve/1',
      events: events.slice(0, 2 - from),
    });
    if (answer?.kind !== 'send' || answer.message.kind !== 'blocks') return [];
    return [answer.message.blocks.length, answer.message.certificate.height];
  };
  t.deepEqual(answerFrom(0), [1, 1]);
  t.deepEqual(answerFrom(1), [1, 3], 'under the newest, when none of its own reaches');
});
