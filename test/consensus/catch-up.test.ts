import test from 'ava';
import type { Block } from '../../protocols/types.ts';
import { chainOf, faults, finalised, Forge, type Seat, started, tipAt } from './forge.ts';

function fetched(effects: ReturnType<Seat['step']>): number[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === 'fetchBlocks' ? [effect.to] : [],
  );
}

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
