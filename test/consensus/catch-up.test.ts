import test from 'ava';
import type { Effect } from '../../protocols/messages.ts';
import { block as blockStructure } from '../../protocols/structures.ts';
import type { Block, Certificate } from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import { chainOf, faults, finalised, Forge, type Seat, started, tipAt } from './forge.ts';

/** Who is asked for blocks, from which height on. */
function asked(effects: readonly Effect[]): [number, number][] {
  return effects.flatMap((effect): [number, number][] =>
    effect.kind === 'send' && effect.message.kind === 'fetchBlocks'
      ? [[effect.to, effect.message.fromHeight]]
      : [],
  );
}

const fetched = (effects: readonly Effect[]): number[] => asked(effects).map(([to]) => to);

/** What the node does once the turn of the peer that it asked is over. */
function turnOver(seat: Seat): Effect[] {
  seat.now += 300;
  return seat.step({ kind: 'timer', timer: 'catch-up' });
}

function answer(seat: Seat, from: number, certificate: Certificate, ...blocks: Block[]): Effect[] {
  return seat.from(from, { kind: 'blocks', blocks, certificate });
}

test('a node that was away fetches the final blocks and checks them (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 5);
  const peers = fetched(seat.committed(chain[4]!));
  t.is(peers.length, 1);
  const certificate = forge.certificate('commit', chain[4]!);
  const effects = answer(seat, peers[0]!, certificate, ...chain);
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
  test(`when the first peer lies with ${what}, the next one is believed (I90, I100)`, (t) => {
    const forge = new Forge();
    const seat = started(forge);
    const chain = chainOf(forge, 5);
    const [liar] = fetched(seat.committed(chain[4]!));
    const effects = seat.from(liar!, { kind: 'blocks', ...lie(forge, chain) });
    t.deepEqual(finalised(effects), []);
    t.true(faults(effects).includes('bad_blocks'));
    t.deepEqual(fetched(effects), [], 'the lie makes this node work no more');
    const [next] = fetched(turnOver(seat));
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
  t.deepEqual(asked(effects), [[peer!, 64]]);
  const rest = { kind: 'blocks', blocks: chain.slice(63), certificate } as const;
  t.is(finalised(seat.from(peer!, rest)).length, 70);
});

test('blocks that no certificate reaches yet count only as far as the next one certifies them (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 4);
  seat.committed(chain[3]!);
  const certificate = forge.certificate('commit', chain[3]!);
  const justify = { kind: 'certificate', certificate } as const;
  const unjustified = answer(seat, 0, certificate, chain[0]!, forge.child(chain[0]!, { justify }));
  t.true(faults(unjustified).includes('bad_blocks'));
  const before = seat.machine.status().blocksKept;
  turnOver(seat);
  t.deepEqual(faults(answer(seat, 1, certificate, chain[0]!)), []);
  t.is(seat.machine.status().blocksKept, before, 'nothing certifies it yet');
  turnOver(seat);
  t.deepEqual(faults(answer(seat, 2, certificate, chain[0]!, chain[1]!)), []);
  t.is(seat.machine.status().blocksKept, before + 1);
});

test('a fetched block that its leader did not sign is refused (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 3);
  const certificate = forge.certificate('commit', chain[2]!);
  const [peer] = fetched(seat.committed(chain[2]!));
  const unsigned = { ...chain[1]!, signature: new Uint8Array(64) };
  const effects = answer(seat, peer!, certificate, chain[0]!, unsigned, chain[2]!);
  t.true(faults(effects).includes('bad_blocks'));
  t.deepEqual(finalised(effects), []);
});

test('I100: a peer that drips blocks, asked or not, keeps nobody behind', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 100);
  const certificate = forge.certificate('commit', chain[99]!);
  const drip = { kind: 'blocks', blocks: chain.slice(0, 2), certificate } as const;
  const turns = fetched(seat.committed(chain[99]!));
  let timerAt: number | null = seat.now + 300;
  const take = (effects: Effect[]): void => {
    turns.push(...fetched(effects));
    for (const effect of effects) {
      if (effect.kind === 'setTimer' && effect.timer === 'catch-up') timerAt = effect.at;
    }
  };
  for (let step = 0; step < 35; step++) {
    seat.now += 50;
    take(seat.from(1, drip));
    if (seat.now < timerAt) continue;
    timerAt = Infinity;
    take(seat.step({ kind: 'timer', timer: 'catch-up' }));
  }
  // The first of its drips is an answer; it was asked on and gave nothing new.
  t.deepEqual(turns, [0, 1, 1, 2, 0, 1, 2]);
});

test('I100: bad answers that nobody asked for cost their sender nothing and this node as little', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 5);
  const forged = { ...forge.certificate('commit', chain[4]!), votes: [] };
  t.deepEqual(answer(seat, 1, forged, ...chain), [], 'not behind');
  const [peer] = fetched(seat.committed(chain[4]!));
  t.deepEqual(answer(seat, (peer! + 1) % 3, forged, ...chain), [], 'another was asked');
  t.deepEqual(faults(answer(seat, peer!, forged, ...chain)), ['bad_blocks']);
  t.deepEqual(answer(seat, peer!, forged, ...chain), [], 'one answer a request');
});

test('I100: an answer after its turn counts, and its sender goes on from there when it is asked again', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 70);
  const certificate = forge.certificate('commit', chain[69]!);
  t.deepEqual(asked(seat.committed(chain[69]!)), [[0, 1]]);
  t.deepEqual(asked(turnOver(seat)), [[1, 1]]);
  t.deepEqual(asked(answer(seat, 0, certificate, ...chain.slice(0, 64))), [], 'not its turn');
  t.deepEqual(asked(turnOver(seat)), [[2, 1]], 'others begin at their own');
  t.deepEqual(asked(turnOver(seat)), [[0, 64]]);
  t.is(finalised(answer(seat, 0, certificate, ...chain.slice(63))).length, 70);
});

test('I100: a peer that gives nothing new is not asked on', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 70);
  const certificate = forge.certificate('commit', chain[69]!);
  const [peer] = fetched(seat.committed(chain[69]!));
  t.deepEqual(asked(answer(seat, peer!, certificate, chain[0]!)), []);
  t.deepEqual(answer(seat, peer!, { ...certificate, votes: [] }, chain[0]!), [], 'nor heard again');
});

test('I100: what a peer sends does not put off when others are asked for single blocks', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const timers = (effects: readonly Effect[]): number[] =>
    effects.flatMap((e) => (e.kind === 'setTimer' && e.timer === 'catch-up' ? [e.at] : []));
  const hear = (height: number): number[] => timers(seat.prepared(forge.block({ height })));
  t.deepEqual(hear(2), [seat.now + 300]);
  seat.now += 100;
  t.deepEqual(hear(3), []);
  seat.now += 200;
  t.deepEqual(timers(seat.step({ kind: 'timer', timer: 'catch-up' })), [seat.now + 300]);
  seat.now -= 3_600_000;
  t.deepEqual(hear(4), [seat.now + 300], 'the clock was set back');
});

test('a fetched answer completes the way to a certificate further up (I90)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOf(forge, 6);
  for (const block of chain.slice(4)) seat.propose(block);
  const [peer] = fetched(seat.committed(chain[5]!));
  const effects = answer(seat, peer!, forge.certificate('commit', chain[3]!), ...chain.slice(0, 4));
  t.deepEqual(finalised(effects), [1, 2, 3, 4, 5, 6]);
});

test('asks again for at most 32 single blocks in a turn, and for each in its turn', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const blocks = Array.from({ length: 40 }, (_, at) => forge.block({ height: 2 + at }));
  for (const block of blocks) seat.prepared(block);
  const wanted = (): Set<string> =>
    new Set(
      turnOver(seat).flatMap((effect) =>
        effect.kind === 'send' && effect.message.kind === 'fetchBlock'
          ? [effect.message.digest]
          : [],
      ),
    );
  const first = wanted();
  t.is(first.size, 32);
  t.is(new Set([...first, ...wanted()]).size, 40);
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

test('I94: single blocks are served within the same rate', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const [block] = chainOf(forge, 1);
  seat.propose(block!);
  const digest = forge.digest(block!);
  const asks = (peer: number): boolean =>
    seat.from(peer, { kind: 'fetchBlock', digest }).some(({ kind }) => kind === 'send');
  let served = 0;
  while (served < 100_000 && asks(1)) served++;
  const bytes = packStructure(blockStructure, block!).length;
  t.is(served, Math.ceil((4 * 1024 * 1024) / bytes));
  t.true(asks(2), 'another peer');
  seat.now += 1000;
  t.true(asks(1), 'a second later');
});
