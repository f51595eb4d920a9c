import test from 'ava';
import type { Output } from '../../protocols/machine.ts';
import type { Effect, PeerMessage } from '../../protocols/messages.ts';
import type { Block, Vote } from '../../protocols/types.ts';
import { isEvidenceValid, evidenceRecord } from '../../protocols/voting/evidence.ts';
import { unpackStructure } from '../../protocols/wire.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { faults } from '../consensus/forge.ts';
import { Booth, told } from './booth.ts';

test('a second vote is kept as evidence that anybody can check, also after a restart (I84)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  const other = booth.forge.block({ timestamp: block.timestamp + 1 });
  booth.from(0, { kind: 'vote', vote: booth.forge.vote('prepare', block, 0) });
  const effects = booth.from(0, { kind: 'vote', vote: booth.forge.vote('prepare', other, 0) });
  t.deepEqual(faults(effects), ['doubleVote']);
  const record = unpackStructure(evidenceRecord, booth.log[0]!.header);
  t.true(record.ok);
  if (!record.ok) return;
  t.is(record.value.accused, booth.forge.signers[0]!.publicKey);
  const verifier = { cluster: booth.forge.cluster, crypto: nodeCrypto };
  t.true(isEvidenceValid(verifier, record.value.evidence));
  const { evidence } = record.value;
  if (evidence.kind !== 'doubleVote') return t.fail();
  t.false(isEvidenceValid(verifier, { ...evidence, second: evidence.first }));
  booth.restart();
  t.is(booth.machine.status().evidence, 1);
});

test('two first-block votes in one term are evidence (I84)', (t) => {
  const booth = new Booth();
  const root = booth.forge.block({});
  const child = booth.forge.child(root);
  booth.from(0, { kind: 'vote', vote: booth.forge.vote('prepare', root, 0) });
  const vote = booth.forge.vote('prepare', child, 0, { first: true });
  t.deepEqual(faults(booth.from(0, { kind: 'vote', vote })), ['doubleFirst']);
});

test('votes split between validators are evidence once a certificate is handed on (I84)', (t) => {
  for (const way of ['certificate', 'timeouts'] as const) {
    const booth = new Booth();
    const block = booth.forge.block({});
    const other = booth.forge.block({ timestamp: block.timestamp + 1 });
    booth.from(0, { kind: 'vote', vote: booth.forge.vote('prepare', block, 0) });
    const certificate = booth.forge.certificate('prepare', other);
    const claims = [certificate, null, null];
    const message: PeerMessage =
      way === 'certificate'
        ? { kind: 'certificate', certificate }
        : { kind: 'timeoutCertificate', certificate: booth.forge.timeoutCertificate(0, claims) };
    const effects = booth.from(1, message);
    t.deepEqual(faults(effects), ['doubleVote'], way);
  }
});

test('two commit certificates for a final height accuse whoever is in both, before any stop (I84, I91)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  const other = booth.forge.block({ timestamp: block.timestamp + 1 });
  const hand = (of: Block, voters: readonly number[]): Output<Effect> => {
    const certificate = booth.forge.certificate('commit', of, voters);
    const message = { kind: 'certificate', certificate } as const;
    return booth.machine.step({ kind: 'peerMessage', from: 1, message });
  };
  hand(block, [0, 1, 2]);
  booth.step({ kind: 'finalTo', height: 1 });
  const output = hand(other, [1, 2, 3]);
  t.deepEqual(faults(output.effects), ['doubleVote', 'doubleVote']);
  t.is(output.events.length, 2);
  t.deepEqual(told(output.immediate, 'commitCertified'), [], 'it stops this node');
  t.is(told(output.effects, 'commitCertified').length, 1, 'once the evidence is durable');
});

test('two commit certificates of different terms accuse nobody (I84)', (t) => {
  const booth = new Booth();
  for (const term of [0, 1]) {
    const certificate = booth.forge.certificate('commit', booth.forge.block({ term }), [0, 1, 2]);
    const effects = booth.from(1, { kind: 'certificate', certificate });
    t.deepEqual(faults(effects), []);
    t.is(told(effects, 'commitCertified').length, 1);
    booth.step({ kind: 'finalTo', height: 1 });
  }
});

test('a forged vote in front hides no double vote and no double first vote (I84)', (t) => {
  const booth = new Booth();
  const root = booth.forge.block({});
  const other = booth.forge.block({ timestamp: root.timestamp + 1 });
  const third = booth.forge.block({ timestamp: root.timestamp + 2 });
  const forged = { ...booth.forge.vote('prepare', third, 0), signature: new Uint8Array(64) };
  const say = (vote: Vote): string[] => faults(booth.from(0, { kind: 'vote', vote }));
  t.deepEqual(say(forged), []);
  t.deepEqual(say(booth.forge.vote('prepare', root, 0)), ['bad_vote_signature']);
  t.deepEqual(say(booth.forge.vote('prepare', other, 0)), ['doubleVote']);
  const child = booth.forge.child(root);
  t.deepEqual(say(booth.forge.vote('prepare', child, 0, { first: true })), ['doubleFirst']);
});

test('a first vote of another term hides no double first vote of this one (I84)', (t) => {
  const booth = new Booth();
  const say = (term: number, height: number): string[] => {
    const block = booth.forge.block({ term, height });
    return faults(booth.from(0, { kind: 'vote', vote: booth.forge.vote('prepare', block, 0) }));
  };
  t.deepEqual([...say(1, 1), ...say(9, 1)], []);
  booth.step({ kind: 'termEntered', epoch: 0, term: 1 });
  t.deepEqual(say(1, 2), ['doubleFirst']);
});

test("a timeout that claims less than its voter's commit vote is evidence, in either order (I84)", (t) => {
  for (const order of ['vote first', 'timeout first']) {
    const booth = new Booth();
    const vote = booth.forge.vote('commit', booth.forge.block({}), 0);
    const timeout = booth.forge.timeout(0, 0, null);
    const messages: PeerMessage[] = [
      { kind: 'vote', vote },
      { kind: 'timeout', timeout, highest: null, handOver: null },
    ];
    if (order === 'timeout first') messages.reverse();
    const found = messages.flatMap((message) => faults(booth.from(0, message)));
    t.deepEqual(found, ['hiddenCommit'], order);
  }
});

test('a forged second vote accuses nobody (I84)', (t) => {
  const booth = new Booth();
  const block = booth.forge.block({});
  booth.from(0, { kind: 'vote', vote: booth.forge.vote('commit', block, 0) });
  const forged = { ...booth.forge.vote('commit', block, 0), block: booth.forge.genesisDigest };
  t.deepEqual(faults(booth.from(0, { kind: 'vote', vote: forged })), ['bad_vote_signature']);
  t.is(booth.log.length, 0);
});

test('64 misdeeds of a validator are kept, and as many of each other one (I86)', (t) => {
  const booth = new Booth();
  const misdeed = (voter: number, height: number): string[] => {
    const blocks = [0, 1].map((ms) => booth.forge.block({ height, timestamp: 1_000 + ms }));
    const cast = (block: Block): string[] => {
      const vote = booth.forge.vote('commit', block, voter, { first: false });
      return faults(booth.from(voter, { kind: 'vote', vote }));
    };
    return blocks.flatMap(cast);
  };
  for (let height = 1; height <= 64; height++) t.deepEqual(misdeed(0, height), ['doubleVote']);
  t.deepEqual(misdeed(0, 65), []);
  t.is(booth.log.length, 64);
  booth.restart();
  t.deepEqual(misdeed(0, 66), [], 'nor more after a restart');
  t.deepEqual(misdeed(1, 66), ['doubleVote']);
  t.is(booth.machine.status().evidence, 65);
});
