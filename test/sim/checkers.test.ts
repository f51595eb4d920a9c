/** The checkers are fed histories that must not be, and must say so. */
import test from 'ava';
import { EXECUTED_NOTHING, emptyCut } from '../../protocols/chain.ts';
import { consensusEvent, type ConsensusEvent } from '../../protocols/consensus/events.ts';
import type { LocalMessage, PeerMessage } from '../../protocols/messages.ts';
import { blockBytes, timeoutBytes, voteBytes } from '../../protocols/structures.ts';
import type { Block, Digest, Timeout, Vote } from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import { loadEngine } from './build-engine.ts';
import { fastSigner } from './fast-crypto.ts';
import type { SimNode } from './node.ts';
import { profileOf } from './profile.ts';
import { World } from './world.ts';

const engine = await loadEngine();

const newWorld = (): World => new World(engine, profileOf(1, { nodes: 4, focus: ['calm'] }));

const nodeOf = (world: World, validator: number): SimNode => {
  const node = world.nodes[validator];
  if (node === undefined) throw new Error(`no node ${validator}`);
  return node;
};

const signer = (validator: number) => fastSigner(`validator-${validator}`);

function firstBlock(world: World, changes: Partial<Block> = {}): { block: Block; digest: Digest } {
  const content = {
    epoch: 0,
    term: 0,
    height: 1,
    parent: world.cluster.id,
    justify: { kind: 'epoch' } as const,
    cut: emptyCut(4),
    timestamp: world.nowMs(),
    executed: EXECUTED_NOTHING,
    endsEpoch: null,
    ...changes,
  };
  const bytes = blockBytes(world.cluster.id, content);
  const leader = content.term % 4;
  const block = { ...content, signature: signer(leader).sign(bytes) };
  return { block, digest: world.crypto.hash(bytes) };
}

function vote(
  world: World,
  validator: number,
  kind: Vote['kind'],
  block: Block,
  digest: Digest,
): Vote {
  const { epoch, term, height } = block;
  const content = { kind, epoch, term, height, block: digest, first: true };
  const signature = signer(validator).sign(voteBytes(world.cluster.id, content));
  return { ...content, voter: validator, signature };
}

function timeout(world: World, validator: number, term: number): Timeout {
  const none = { highTerm: -1, highHeight: -1, highBlock: world.cluster.id };
  const content = { epoch: 0, term, ...none };
  const signature = signer(validator).sign(timeoutBytes(world.cluster.id, content));
  return { ...content, voter: validator, signature };
}

function synced(world: World, validator: number, ...events: ConsensusEvent[]): void {
  const stored = events.map((event, seq) => ({
    stream: 'consensus',
    seq,
    kind: event.kind,
    header: packStructure(consensusEvent, event),
  }));
  for (const { synced: see } of observersOf(world)) see(nodeOf(world, validator), stored);
}

function sent(world: World, validator: number, message: PeerMessage): void {
  for (const { sent: see } of observersOf(world)) see(nodeOf(world, validator), null, message);
}

function told(world: World, validator: number, message: LocalMessage): void {
  for (const { told: see } of observersOf(world)) see(nodeOf(world, validator), message);
}

function observersOf(world: World) {
  return world.checkers.observers.map((observer) => ({
    synced: (...[node, events]: Parameters<NonNullable<typeof observer.synced>>) =>
      observer.synced?.(node, events),
    sent: (node: SimNode, to: number | null, message: PeerMessage) =>
      observer.sent?.(node, to, message, undefined),
    told: (node: SimNode, message: LocalMessage) =>
      observer.told?.(node, 'consensus', 'replication', message),
  }));
}

const ENTERED: ConsensusEvent = { kind: 'termEntered', epoch: 0, term: 0, by: null };

test('a lawful history raises no complaint', (t) => {
  const world = newWorld();
  const { block, digest } = firstBlock(world);
  const prepared = vote(world, 1, 'prepare', block, digest);
  synced(world, 1, ENTERED, { kind: 'prepareVoted', vote: prepared, block });
  sent(world, 1, { kind: 'vote', vote: prepared });
  for (const validator of [0, 1]) told(world, validator, { kind: 'finalised', block, digest });
  t.is(world.violation, null);
});

test('a vote that is not durable yet is noticed when it leaves (P1)', (t) => {
  const world = newWorld();
  const { block, digest } = firstBlock(world);
  synced(world, 1, ENTERED);
  sent(world, 1, { kind: 'vote', vote: vote(world, 1, 'prepare', block, digest) });
  t.is(world.violation?.checker, 'rule P1');
});

test('a timeout that is not durable yet is noticed when it leaves (P1)', (t) => {
  const world = newWorld();
  synced(world, 1, ENTERED);
  const message = { kind: 'timeout', highest: null, handOver: null } as const;
  sent(world, 1, { ...message, timeout: timeout(world, 1, 0) });
  t.is(world.violation?.checker, 'rule P1');
});

test('two final blocks at one height are noticed', (t) => {
  const world = newWorld();
  told(world, 0, { kind: 'finalised', ...firstBlock(world) });
  told(world, 1, { kind: 'finalised', ...firstBlock(world, { timestamp: world.nowMs() + 1 }) });
  t.is(world.violation?.checker, 'agreement');
});

test('a height that is finalised out of turn is noticed', (t) => {
  const world = newWorld();
  told(world, 0, { kind: 'finalised', ...firstBlock(world) });
  told(world, 0, { kind: 'finalised', ...firstBlock(world, { height: 3 }) });
  t.is(world.violation?.checker, 'order');
});

test('two states at one height are noticed', (t) => {
  const world = newWorld();
  const executed = { ...EXECUTED_NOTHING, height: 4 };
  const message = { kind: 'checkpointExecuted' } as const;
  for (const [validator, stateRoot] of [
    [0, EXECUTED_NOTHING.stateRoot],
    [1, world.cluster.id],
  ] as const) {
    for (const observer of world.checkers.observers) {
      const report = { ...message, executed: { ...executed, stateRoot } };
      observer.told?.(nodeOf(world, validator), 'transaction', 'consensus', report);
    }
  }
  t.is(world.violation?.checker, 'state');
});

test('a second vote at a height is noticed (B4)', (t) => {
  const world = newWorld();
  const [a, b] = [firstBlock(world), firstBlock(world, { timestamp: world.nowMs() + 1 })];
  const cast = ({ block, digest }: typeof a): ConsensusEvent => ({
    kind: 'prepareVoted',
    vote: vote(world, 1, 'prepare', block, digest),
    block,
  });
  synced(world, 1, ENTERED, cast(a), cast(b));
  t.is(world.violation?.checker, 'rule B4');
});

test('a vote after the term was abandoned is noticed (T1)', (t) => {
  const world = newWorld();
  const { block, digest } = firstBlock(world);
  const left: ConsensusEvent = {
    kind: 'timeoutCast',
    timeout: timeout(world, 0, 0),
    highest: null,
    handOver: null,
  };
  const prepared = vote(world, 0, 'prepare', block, digest);
  synced(world, 0, ENTERED, left, { kind: 'prepareVoted', vote: prepared, block });
  t.is(world.violation?.checker, 'rule B4');
});

test('a commit vote without a certificate behind it is noticed (P1)', (t) => {
  const world = newWorld();
  const { block, digest } = firstBlock(world);
  const own = vote(world, 1, 'prepare', block, digest);
  const { voter, signature, ...content } = own;
  const certificate = { ...content, votes: [{ voter, signature }] };
  const committed = vote(world, 1, 'commit', block, digest);
  synced(world, 1, ENTERED, { kind: 'commitVoted', vote: committed, certificate });
  t.is(world.violation?.checker, 'rule P1');
});

test('a term entered on a certificate that is none is noticed (T2)', (t) => {
  const world = newWorld();
  const by = { epoch: 0, term: 0, timeouts: [], highest: null };
  synced(world, 1, ENTERED, { kind: 'termEntered', epoch: 0, term: 1, by });
  t.is(world.violation?.checker, 'rule T2');
});

test('a vote for a far-off time is noticed (B4)', (t) => {
  const world = newWorld();
  const { block, digest } = firstBlock(world, { timestamp: world.nowMs() + 3_600_000 });
  const prepared = vote(world, 1, 'prepare', block, digest);
  synced(world, 1, ENTERED, { kind: 'prepareVoted', vote: prepared, block });
  t.is(world.violation?.checker, 'rule B4');
});

test('an accusation of an honest validator is noticed', (t) => {
  const world = newWorld();
  for (const observer of world.checkers.observers) {
    observer.faulted?.(nodeOf(world, 0), 1, 'doubleVote', '');
  }
  t.is(world.violation?.checker, 'accusation');
});

test('a machine that gives up is noticed', (t) => {
  const world = newWorld();
  for (const observer of world.checkers.observers) {
    observer.failed?.(nodeOf(world, 0), 'voting', new Error('gave up'), false);
  }
  t.is(world.violation?.checker, 'failure');
});

test('a receipt that changes, and a place that is given twice, are noticed (E2)', (t) => {
  const world = newWorld();
  world.clients.start();
  world.clients.probe();
  const node = nodeOf(world, 0);
  const [wish, other] = world.clients.wishes;
  if (wish === undefined || other === undefined) return t.fail('nothing was asked for');
  const receipts = {
    id: wish.idFor(0),
    height: 3,
    index: 0,
    txCount: 1,
    sender: '',
    via: '',
    calls: new Uint8Array(0),
    encoded: new Uint8Array([0, 0, 1]),
  };
  const answer = (request: number, changes: object): void =>
    world.clients.answered(node, {
      kind: 'submitted',
      results: [{ request, ok: true, receipts: { ...receipts, ...changes } }],
    });
  answer(1, {});
  answer(1, {});
  t.is(world.violation, null);
  answer(1, { height: 4 });
  t.is(world.violation?.checker, 'clients');
});

for (const [what, actor, kept] of [
  ['vote sets', 'voting', { voteSets: 8_193 }],
  ['blocks', 'consensus', { blocksKept: 1_001 }],
  ['bytes of batches', 'replication', { pendingBytes: 12 * 64 * 1024 + 1 }],
] as const) {
  test(`a node that keeps too many ${what} for a moment is noticed while it does`, (t) => {
    const world = newWorld();
    world.scheduler.at(200_000, () => {
      const machine = nodeOf(world, 1).machines![actor];
      const status = machine.status.bind(machine);
      machine.status = (): never => ({ ...status(), ...kept }) as never;
      world.scheduler.after(60_000, () => (machine.status = status as never));
    });
    const { violation } = world.run();
    t.is(violation?.checker, 'bounds');
    t.regex(violation?.detail ?? '', new RegExp(`^n1 keeps \\d+ ${what}$`));
    t.true((violation?.atMs ?? Infinity) <= 260);
  });
}

test('a mailbox that grows without bound is noticed', (t) => {
  const world = newWorld();
  world.scheduler.at(200_000, () => {
    const node = nodeOf(world, 1);
    for (let at = 0; at <= 20_000; at++) node.deliver('transaction', { kind: 'drain' });
    node.pauseFor(1_000);
  });
  t.is(world.run().violation?.checker, 'bounds');
});
