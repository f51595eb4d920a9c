import test from 'ava';
import type { LogEvent } from '../../protocols/machine.ts';
import type { PeerMessage } from '../../protocols/messages.ts';
import { utf8 } from '../../protocols/bytes.ts';
import { fastCrypto, fastSigner } from './fast-crypto.ts';
import { Network, type Endpoint } from './network.ts';
import { applyHunk, parsePlanted, PatchError } from './patch.ts';
import { Random } from '../../bench/random.ts';
import { Scheduler } from './scheduler.ts';
import { LogMisuse, SimLog } from './storage.ts';

const event = (stream: string, seq: number): LogEvent => ({
  stream,
  seq,
  kind: 'k',
  header: utf8(`${stream}/${seq}`),
  keys: [`key-${stream}-${seq}`],
});

test('a seed gives the same numbers, evenly spread', (t) => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 1_000 }, () => random.int(10));
  };
  t.deepEqual(draw(7), draw(7));
  t.notDeepEqual(draw(7), draw(8));
  for (let digit = 0; digit < 10; digit++) {
    const count = draw(7).filter((each) => each === digit).length;
    t.true(count > 60 && count < 140, `${digit}: ${count}`);
  }
});

test('tasks run in order of time, and of scheduling at one time', (t) => {
  const random = new Random(1);
  const scheduler = new Scheduler();
  const ran: [number, number][] = [];
  for (let i = 0; i < 500; i++) {
    const at = random.int(50);
    scheduler.at(at, () => ran.push([at, i]));
  }
  scheduler.run(49, () => false);
  t.is(ran.length, 500);
  t.deepEqual(
    ran,
    ran.toSorted(([a, i], [b, j]) => a - b || i - j),
  );
});

test('a simulated signature holds for its key and message alone', (t) => {
  const [a, b] = [fastSigner('a'), fastSigner('b')];
  const signature = a.sign(utf8('message'));
  t.true(fastCrypto.verify(a.publicKey, utf8('message'), signature));
  t.false(fastCrypto.verify(b.publicKey, utf8('message'), signature));
  t.false(fastCrypto.verify(a.publicKey, utf8('massage'), signature));
  t.false(fastCrypto.verify(a.publicKey, utf8('message'), signature.subarray(1)));
});

test('similar inputs have different hashes', (t) => {
  const hashes = new Set<string>();
  for (let i = 0; i < 20_000; i++) hashes.add(fastCrypto.hash(utf8(`input ${i}`)));
  t.is(hashes.size, 20_000);
});

test('a crash keeps what was synced and loses what was only issued', (t) => {
  const log = new SimLog(() => undefined);
  const synced = log.issue('consensus', [event('a', 0)]);
  log.write(synced);
  log.sync('consensus', synced);
  log.issue('consensus', [event('a', 1)]);
  log.crash(new Random(1));
  t.deepEqual(
    log.read('a', 0, 10, 1_000).map(({ seq }) => seq),
    [0],
  );
  t.is(log.find('key-a-0')?.seq, 0);
  t.is(log.find('key-a-1'), null);
});

test('of what was written a crash keeps any part from the front, for each connection apart', (t) => {
  const kept = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const log = new SimLog(() => undefined);
    for (const [actor, stream] of [
      ['consensus', 'a'],
      ['replication', 'b'],
    ] as const) {
      for (let seq = 0; seq < 2; seq++) log.write(log.issue(actor, [event(stream, seq)]));
    }
    log.crash(new Random(seed));
    kept.add(['a', 'b'].map((stream) => log.read(stream, 0, 9, 1_000).length).join());
  }
  t.is(kept.size, 9, [...kept].join(' '));
});

test('a gap, a repetition and a second writer of a stream are misuse of the log', (t) => {
  const log = new SimLog(() => undefined);
  const append = (actor: 'consensus' | 'voting', item: LogEvent) => (): void =>
    log.sync(actor, log.issue(actor, [item]));
  append('consensus', event('a', 0))();
  t.throws(append('consensus', event('a', 0)), { instanceOf: LogMisuse });
  t.throws(append('consensus', event('a', 2)), { instanceOf: LogMisuse });
  t.throws(append('voting', event('a', 1)), { instanceOf: LogMisuse });
});

function pair(link: Partial<ConstructorParameters<typeof Network>[2]>) {
  const scheduler = new Scheduler();
  const network = new Network(scheduler, new Random(3), {
    minUs: 10,
    jitterUs: 500,
    loss: 0,
    duplicate: 0,
    ordered: true,
    ...link,
  });
  const received: number[] = [];
  const changes: string[] = [];
  const endpoint = (validator: number): Endpoint => ({
    validator,
    up: true,
    receive: (_from, message) => received.push((message as { fromHeight: number }).fromHeight),
    linkChanged: (peer, connected) => changes.push(`${validator}-${peer} ${connected}`),
  });
  network.attach(endpoint(0));
  network.attach(endpoint(1));
  const send = (number: number): void => {
    const message: PeerMessage = { kind: 'fetchBlocks', fromHeight: number };
    network.send(0, 1, { message, body: undefined });
  };
  const run = (): void => scheduler.run(scheduler.now + 10_000_000, () => false);
  return { network, received, changes, send, run };
}

const NUMBERS = Array.from({ length: 200 }, (_, at) => at);

test('an ordered link keeps the order, another one does not', (t) => {
  const ordered = pair({});
  NUMBERS.forEach(ordered.send);
  ordered.run();
  t.deepEqual(ordered.received, NUMBERS);
  const unordered = pair({ ordered: false });
  NUMBERS.forEach(unordered.send);
  unordered.run();
  t.notDeepEqual(unordered.received, NUMBERS);
  t.deepEqual(
    unordered.received.toSorted((a, b) => a - b),
    NUMBERS,
  );
});

test('a lossy link loses and repeats until it heals', (t) => {
  const { network, received, send, run } = pair({ loss: 0.3, duplicate: 0.3 });
  NUMBERS.forEach(send);
  run();
  t.true(new Set(received).size < NUMBERS.length);
  t.true(received.length > new Set(received).size);
  network.heal();
  received.length = 0;
  NUMBERS.forEach(send);
  run();
  t.deepEqual(received, NUMBERS);
});

test('a cut carries nothing one way, and both ends notice', (t) => {
  const { network, received, changes, send, run } = pair({});
  network.refresh(0, 1);
  network.cut([[0, 1]]);
  send(1);
  run();
  t.deepEqual(received, []);
  t.deepEqual(changes, ['0-1 true', '1-0 true', '0-1 false', '1-0 false']);
  network.mend([[0, 1]]);
  run();
  send(2);
  run();
  t.deepEqual(received, [2]);
  t.deepEqual(changes.slice(4), ['0-1 true', '1-0 true']);
});

const PATCH = `rule: B4
says: a test
expect: rule B4, agreement
focus: calm
--- a/x.ts
+++ b/x.ts
@@ -1,2 +1,2 @@
 keep
-old
+new
`;

test('a planted bug is found by its text and replaces it', (t) => {
  const planted = parsePlanted('x', PATCH);
  t.is(planted.rule, 'B4');
  t.deepEqual(planted.expect, ['rule B4', 'agreement']);
  const [hunk] = planted.hunks;
  if (hunk === undefined) return t.fail('no hunk');
  t.is(applyHunk(planted, hunk, 'first\nkeep\nold\nlast'), 'first\nkeep\nnew\nlast');
  t.throws(() => applyHunk(planted, hunk, 'first\nkeep\nlast'), { instanceOf: PatchError });
  t.throws(() => applyHunk(planted, hunk, 'keep\nold\nkeep\nold'), { instanceOf: PatchError });
  for (const line of ['rule: B4\n', 'expect: rule B4, agreement\n']) {
    t.throws(() => parsePlanted('x', PATCH.replace(line, '')), { instanceOf: PatchError });
  }
});
