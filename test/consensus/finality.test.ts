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

test('serves final blocks only as far as a certificate with valid votes reaches (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  for (const block of chain) seat.propose(block);
  seat.committed(chain[0]!);
  const good = forge.certificate('commit', chain[2]!);
  const votes = good.votes.map((vote, at) =>
    at === 0 ? { ...vote, signature: new Uint8Array(64) } : vote,
  );
  seat.step({ kind: 'commitCertified', certificate: { ...good, votes } });
  t.is(seat.machine.status().finalHeight, 3);
  const [read] = seat.from(1, { kind: 'fetchBlocks', fromHeight: 1 });
  t.is(read?.kind, 'readLog');
  const events = seat.log.filter(({ stream }) => stream === 'chain');
  const [answer] = seat.step({ kind: 'logRead', tag: 'serve/1', events });
  t.is(
    answer?.kind === 'send' && answer.message.kind === 'blocks' ? answer.message.blocks.length : 0,
    1,
  );
});

test('I94: serves one read at a time to each peer, within its rate', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  seat.propose(block!);
  seat.committed(block!);
  const [stored] = seat.log.filter(({ stream }) => stream === 'chain');
  const answer = Array.from({ length: 512 }, () => stored!);
  const bytes = answer.length * stored!.header.length;
  const asks = (peer: number): boolean =>
    seat.from(peer, { kind: 'fetchBlocks', fromHeight: 1 }).some(({ kind }) => kind === 'readLog');
  let served = 0;
  for (; served < 100 && asks(1); served++) {
    t.false(asks(1), 'while a read is under way');
    seat.step({ kind: 'logRead', tag: 'serve/1', events: answer });
  }
  t.is(served, Math.ceil((4 * 1024 * 1024) / bytes));
  t.true(asks(2), 'another peer');
  seat.now += 1000;
  t.true(asks(1), 'a second later');
});

test('an answer that begins above the next height was asked for before a restart: no fault', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  const certificate = forge.certificate('commit', chain[2]!);
  const late = { kind: 'blocks', blocks: chain.slice(1), certificate } as const;
  t.deepEqual(faults(seat.from(1, late)), []);
  t.is(seat.machine.status().finalHeight, 0);
  seat.from(1, { ...late, blocks: chain });
  t.is(seat.machine.status().finalHeight, 3);
});
