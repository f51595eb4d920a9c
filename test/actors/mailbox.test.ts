/** What waits for an actor, and in which order it is taken. */
import fc from 'fast-check';
import test from 'ava';
import { Mailbox } from '../../actors/mailbox.ts';
import { POLICIES, policyOf, type InputKind } from '../../actors/policies.ts';
import { whenBehind } from '../../actors/traffic.ts';
import type { LocalMessage } from '../../protocols/messages.ts';

interface Numbered {
  readonly kind: InputKind;
  readonly at: number;
  readonly from?: number;
}

const KINDS = Object.keys(POLICIES) as InputKind[];
const anyInputs = fc.array(fc.constantFrom(...KINDS), { maxLength: 60, size: 'max' });

test('I20: takes each input once, in the order of its class', (t) => {
  fc.assert(
    fc.property(anyInputs, fc.integer({ min: 1, max: 20 }), (kinds, max) => {
      const mailbox = new Mailbox<Numbered>();
      kinds.forEach((kind, at) => mailbox.push({ kind, at }));
      const taken: Numbered[] = [];
      while (mailbox.length > 0) taken.push(...mailbox.take(max));
      t.is(new Set(taken.map(({ at }) => at)).size, kinds.length);
      for (const name of ['control', 'local', 'peer', 'client', 'timer']) {
        const ofClass = taken.filter(({ kind }) => policyOf(kind).class === name);
        t.deepEqual(
          ofClass.map(({ at }) => at),
          ofClass.map(({ at }) => at).toSorted((a, b) => a - b),
        );
      }
    }),
  );
});

const messageOf = (from: number, at: number): Numbered => ({ kind: 'peerMessage', from, at });

test('I20: peers are taken in turns, each in its own order, and none is passed over', (t) => {
  const peers = fc.array(fc.nat({ max: 3 }), { maxLength: 100, size: 'max' });
  fc.assert(
    fc.property(peers, fc.integer({ min: 1, max: 20 }), (senders, max) => {
      const mailbox = new Mailbox<Numbered>();
      senders.forEach((from, at) => mailbox.push(messageOf(from, at)));
      const waiting = new Map<number, number>();
      for (const from of senders) waiting.set(from, (waiting.get(from) ?? 0) + 1);
      const taken: Numbered[] = [];
      while (mailbox.length > 0) taken.push(...mailbox.take(max));
      for (const [at, { from = -1 }] of taken.entries()) {
        // Whoever waits has its turn before anybody has a second one.
        const others = [...waiting.values()].filter((count) => count > 0).length;
        const next = new Set(taken.slice(at, at + others).map((each) => each.from));
        if (at % others === 0 && others === waiting.size) t.is(next.size, others);
        waiting.set(from, waiting.get(from)! - 1);
      }
      for (let peer = 0; peer < 4; peer++) {
        const own = taken.filter(({ from }) => from === peer).map(({ at }) => at);
        t.deepEqual(
          own,
          own.toSorted((a, b) => a - b),
        );
      }
      t.is(taken.length, senders.length);
    }),
  );
});

test('I20: a flood of one peer holds up nobody else, and fills no turn', (t) => {
  const mailbox = new Mailbox<Numbered>();
  for (let at = 0; at < 3000; at++) mailbox.push(messageOf(3, at));
  for (let at = 0; at < 5; at++) for (const from of [0, 1]) mailbox.push(messageOf(from, at));
  const turn = mailbox.take(512);
  const last = turn.findLastIndex(({ from }) => from !== 3);
  t.is(turn.filter(({ from }) => from !== 3).length, 10);
  t.true(last < 15, `the last of the others came at place ${last}`);
  t.is(turn.length, 128 + 10);
  t.is(mailbox.length, 3000 - 128);
});

test('control goes before actors, actors before peers, peers before clients, timers last', (t) => {
  const mailbox = new Mailbox<{ kind: InputKind }>();
  const kinds: InputKind[] = ['timer', 'submit', 'peerMessage', 'finalised', 'drain'];
  for (const kind of kinds) mailbox.push({ kind });
  t.deepEqual(
    mailbox.take(9).map(({ kind }) => kind),
    kinds.toReversed(),
  );
});

test('I21: holding the outside leaves peers and clients where they are, and nothing else', (t) => {
  fc.assert(
    fc.property(anyInputs, (kinds) => {
      const mailbox = new Mailbox<Numbered>();
      kinds.forEach((kind, at) => mailbox.push({ kind, at }));
      mailbox.outsideHeld = true;
      const isOutside = (kind: string): boolean =>
        ['peer', 'client'].includes(policyOf(kind).class);
      t.is(mailbox.ready, kinds.filter((kind) => !isOutside(kind)).length);
      t.is(mailbox.take(1000).filter(({ kind }) => isOutside(kind)).length, 0);
      t.is(mailbox.ready, 0);
      mailbox.outsideHeld = false;
      t.is(mailbox.take(1000).length, kinds.filter(isOutside).length);
    }),
  );
});

test('each receipt is told once, when its input is taken', (t) => {
  const mailbox = new Mailbox<{ kind: InputKind }>();
  const taken = new Map<number, number>();
  for (let at = 0; at < 10; at++) {
    mailbox.push({ kind: 'submit' }, { taken: () => taken.set(at, (taken.get(at) ?? 0) + 1) });
  }
  t.is(taken.size, 0);
  mailbox.take(4);
  t.deepEqual([...taken.keys()], [0, 1, 2, 3]);
  mailbox.take(100);
  t.deepEqual([...taken.values()], Array(10).fill(1));
});

test('keeps the order through many more inputs than it keeps room for', (t) => {
  const mailbox = new Mailbox<Numbered>();
  let pushed = 0;
  let expected = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 60; i++) mailbox.push({ kind: 'finalTo', at: pushed++ });
    for (const { at } of mailbox.take(50)) if (at !== expected++) t.fail(`took ${at}`);
  }
  while (mailbox.length > 0) for (const { at } of mailbox.take(50)) t.is(at, expected++);
  t.is(expected, pushed);
});

test('I19: only cumulative reports are replaced, and only what peers hear again is left out', (t) => {
  const coalesced = KINDS.filter((kind) => {
    const message = { kind } as LocalMessage;
    return whenBehind({ kind: 'local', to: 'edge', message }) === 'coalesce';
  });
  t.deepEqual(coalesced.toSorted(), ['executedTo', 'finalTo', 'laneRoom', 'tipsReported']);
  for (const kind of KINDS) {
    const { class: inputClass, whenFull } = POLICIES[kind];
    const allowed = {
      control: ['take'],
      timer: ['take'],
      local: ['hold', 'coalesce'],
      peer: ['pause'],
      client: ['refuse'],
    }[inputClass];
    t.true(allowed.includes(whenFull), kind);
  }
  const envelope = new Uint8Array(1);
  t.is(whenBehind({ kind: 'peerOut', to: 1, peerClass: 'data', envelope }), 'resendLater');
  t.is(whenBehind({ kind: 'peerIn', from: 1, to: 'voting', envelope }), 'wait');
});
