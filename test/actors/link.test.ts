/** Credit between two threads, with a port that the test holds. */
import fc from 'fast-check';
import test from 'ava';
import { packItems, unpackItems, type CrossingFrame } from '../../actors/frame.ts';
import { Link, type LinkOptions } from '../../actors/link.ts';
import {
  bytesOf,
  classOf,
  peerShare,
  SHARES,
  type Item,
  type ItemClass,
} from '../../actors/traffic.ts';
import { faultyMax } from '../../protocols/quorum.ts';

/** A link whose frames arrive and are acknowledged when the test says so. */
class HeldLink {
  readonly link: Link;
  readonly frames: CrossingFrame[] = [];
  rooms = 0;
  #flush: (() => void) | null = null;

  constructor(options: Partial<LinkOptions> = {}) {
    this.link = new Link(
      { postMessage: (frame) => void this.frames.push(structuredClone(frame)) },
      { later: (flush) => (this.#flush = flush), onRoom: () => this.rooms++, ...options },
    );
  }

  endTick(): void {
    const flush = this.#flush;
    this.#flush = null;
    flush?.();
  }

  /** Takes the oldest frame that is under way. */
  take(): Item[] {
    const frame = this.frames.shift();
    if (frame === undefined) return [];
    const items = unpackItems(frame);
    this.link.acknowledged(1);
    return items;
  }
}

const query = (request: number): Item => ({
  kind: 'local',
  to: 'transaction',
  message: { kind: 'query', request, module: 'kv', query: 'get', args: null },
});
const answer = (request: number): Item => ({
  kind: 'local',
  to: 'edge',
  message: { kind: 'answer', request, height: 1, result: { ok: true, value: null } },
});
const finalTo = (height: number): Item => ({
  kind: 'local',
  to: 'voting',
  message: { kind: 'finalTo', height },
});
const fromPeer = (from: number, bytes: number): Item => ({
  kind: 'peerIn',
  from,
  to: 'replication',
  envelope: new Uint8Array(8),
  ...(bytes === 0 ? {} : { body: new Uint8Array(bytes) }),
});
const peerLink = (peer: number): Item => ({ kind: 'peerLink', peer, up: true });

function numberOf(item: Item): number {
  if (item.kind === 'local' && 'request' in item.message) return item.message.request;
  if (item.kind === 'peerIn') return item.from;
  return item.kind === 'peerLink' ? item.peer : -1;
}

const makers = [
  query,
  answer,
  (n: number) => fromPeer(n, 0),
  (n: number) => fromPeer(n, 900),
  peerLink,
];
const anyStep = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: makers.length - 1 }).map((make) => ({ make })) },
  { weight: 2, arbitrary: fc.constant('tick' as const) },
  { weight: 1, arbitrary: fc.constant('take' as const) },
);

test('I13, I14: credit is never exceeded; all arrives once, in the order of its class', (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 300, size: 'max' }), (steps) => {
      const window = 20;
      const windowBytes = 8_000;
      const held = new HeldLink({ window, windowBytes, waitingMax: 10_000 });
      const sent: Item[] = [];
      const arrived: Item[] = [];
      const check = (): void => {
        const under = held.frames.flatMap((frame) => unpackItems(frame));
        const credited = under.filter((item) => classOf(item) !== 'control');
        t.true(credited.length <= window);
        const bytes = credited.map(bytesOf);
        const last = bytes.at(-1) ?? 0;
        t.true(bytes.reduce((sum, each) => sum + each, 0) - last < windowBytes);
      };
      for (const step of steps) {
        if (step === 'tick') held.endTick();
        else if (step === 'take') arrived.push(...held.take());
        else {
          const item = makers[step.make]!(sent.length);
          sent.push(item);
          held.link.send(item);
        }
        check();
      }
      held.endTick();
      while (held.frames.length > 0) {
        arrived.push(...held.take());
        held.endTick();
        check();
      }
      t.is(held.link.waiting, 0);
      t.is(held.link.outstanding, 0);
      for (const itemClass of Object.keys(SHARES) as ItemClass[]) {
        const numbers = (items: readonly Item[]): number[] =>
          items.filter((item) => classOf(item) === itemClass).map(numberOf);
        t.deepEqual(numbers(arrived), numbers(sent));
      }
    }),
    { numRuns: 200 },
  );
});

test('what one tick sends leaves in one frame', (t) => {
  const held = new HeldLink();
  for (let request = 0; request < 50; request++) held.link.send(query(request));
  held.endTick();
  t.is(held.frames.length, 1);
  t.is(held.frames[0]?.count, 50);
});

test('control, actors and peers pass clients that wait for credit', (t) => {
  const held = new HeldLink({ window: 10 });
  for (let request = 0; request < 20; request++) held.link.send(query(request));
  held.endTick();
  t.is(held.link.outstanding, 4, 'clients may use 40 % of the window');
  held.link.send(peerLink(1));
  held.link.send(answer(100));
  held.link.send(fromPeer(3, 0));
  held.endTick();
  const kinds = unpackItems(held.frames[1]!).map(({ kind }) => kind);
  t.deepEqual(kinds, ['peerLink', 'local', 'peerIn']);
});

test('is full for clients first, then for batches, then for votes', (t) => {
  const held = new HeldLink({ window: 100 });
  const full = (): ItemClass[] =>
    (['client', 'peerData', 'peerControl', 'local'] as const).filter((each) =>
      held.link.isFull(each),
    );
  const seen: string[] = [];
  for (let request = 0; request < 100; request++) {
    held.link.send(answer(request));
    seen.push(full().join());
  }
  t.deepEqual(
    [39, 49, 74, 99].map((at) => seen[at]),
    [
      'client',
      'client,peerData',
      'client,peerData,peerControl',
      'client,peerData,peerControl,local',
    ],
  );
  t.is(seen[38], '');
});

test('tells of room once the receiver has caught up, to whoever asked in vain', (t) => {
  const held = new HeldLink({ window: 10 });
  for (let request = 0; request < 10; request++) {
    held.link.send(query(request));
    held.endTick();
  }
  t.true(held.link.isFull('client'));
  t.is(held.rooms, 0);
  while (held.frames.length > 0) {
    held.take();
    held.endTick();
  }
  t.is(held.rooms, 1);
  t.false(held.link.isFull('client'));
});

test('I19: a newer report takes the place of one that waits; everything else waits', (t) => {
  const held = new HeldLink({ window: 2 });
  held.link.send(answer(0));
  held.link.send(answer(1));
  held.endTick();
  for (let height = 0; height < 100; height++) held.link.send(finalTo(height));
  held.link.send(answer(2));
  t.is(held.link.waiting, 2);
  held.endTick();
  held.take();
  held.endTick();
  const items = held.frames.flatMap((frame) => unpackItems(frame));
  t.deepEqual(items, [finalTo(99), answer(2)]);
});

test('I19: what is left to the protocol to say again is counted', (t) => {
  const held = new HeldLink({ window: 2, waitingMax: 5 });
  const out: Item = { kind: 'peerOut', to: 1, peerClass: 'control', envelope: new Uint8Array(8) };
  for (let i = 0; i < 20; i++) held.link.send(out);
  t.is(held.link.waiting, 5);
  t.is(held.link.resendLater, 15);
});

test('an acknowledgement of what was never sent is an error', (t) => {
  t.throws(() => new HeldLink().link.acknowledged(1), { message: /never sent/ });
});

test('an item larger than the window still goes, alone', (t) => {
  const held = new HeldLink({ windowBytes: 1000 });
  held.link.send(fromPeer(1, 50_000));
  held.link.send(fromPeer(2, 50_000));
  held.endTick();
  t.is(held.frames.length, 1);
  t.deepEqual(held.take().map(numberOf), [1]);
  held.endTick();
  t.deepEqual(held.take().map(numberOf), [2]);
});

test('packs nothing into a frame that was sent before', (t) => {
  const { frame } = packItems([query(1)]);
  const again = packItems([query(2)]);
  t.deepEqual(unpackItems(frame).map(numberOf), [1]);
  t.deepEqual(unpackItems(again.frame).map(numberOf), [2]);
});

test('I24: a peer that fills its share is full; the others are not, and it has room again later', (t) => {
  const held = new HeldLink({ window: 40, peerShare: 0.5 });
  const share = 40 * SHARES.peerControl * 0.5;
  for (let sent = 0; sent < share; sent++) {
    t.false(held.link.isFullFor(2, 'peerControl'));
    held.link.send(fromPeer(2, 0));
  }
  t.true(held.link.isFullFor(2, 'peerControl'));
  t.false(held.link.isFullFor(1, 'peerControl'));
  held.link.send(fromPeer(1, 0));
  held.endTick();
  t.true(held.link.isFullFor(2, 'peerControl'), 'what is under way counts');
  held.take();
  t.is(held.rooms, 1);
  t.false(held.link.isFullFor(2, 'peerControl'));
});

test('I24: as many peers as may be faulty leave room for the others and for clients', (t) => {
  for (const n of [4, 7, 10, 13, 31]) {
    const held = new HeldLink({ window: 4096, peerShare: peerShare(n) });
    for (let peer = 1; peer <= faultyMax(n); peer++) {
      while (!held.link.isFullFor(peer, 'peerControl')) held.link.send(fromPeer(peer, 0));
    }
    t.false(held.link.isFullFor(0, 'peerControl'), `n = ${n}`);
    t.false(held.link.isFullFor(0, 'peerData'), `n = ${n}`);
    t.false(held.link.isFull('client'), `n = ${n}`);
  }
});

test('I24: bytes fill the share as items do', (t) => {
  const held = new HeldLink({ windowBytes: 100_000, peerShare: 0.5 });
  held.link.send(fromPeer(2, 30_000));
  t.true(held.link.isFullFor(2, 'peerData'));
  t.false(held.link.isFullFor(1, 'peerData'));
});
