/** Real worker threads: order, credit, stalls, failures and stops. */
import fc from 'fast-check';
import test, { type ExecutionContext } from 'ava';
import { packMessage } from '../../protocols/wire.ts';
import type { PeerMessage } from '../../protocols/messages.ts';
import type { Submitted } from '../../src/edge/port.ts';
import type { PeerNetwork } from '../../src/peers/network.ts';
import { numberOf, TestSystem } from './system.ts';
import { ORDERS } from './orders.ts';

/** More than all windows and mailboxes on the way could hold, were they not bounded together. */
const FLOOD = 60_000;

/** Submits one message a tick until one would be refused and that will not change, or to the end. */
async function flood(system: TestSystem, isFinal: () => boolean): Promise<Promise<Submitted>[]> {
  const accepted: Promise<Submitted>[] = [];
  const isFull = (): boolean => system.system.isFull('transaction', 'client');
  while (accepted.length < FLOOD) {
    await system.until(() => !isFull() || isFinal());
    if (isFull()) break;
    accepted.push(system.submit(ORDERS.pass, 16, accepted.length));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return accepted;
}

function assertRefused(t: ExecutionContext, refused: Submitted): void {
  if (refused.ok) return t.fail('was not refused');
  t.is(refused.code, 'overloaded');
  t.true((refused.retryAfterMs ?? 0) > 0);
}

/** All accepted ones were answered with their own bytes, each once, in the order of submission. */
async function assertAllInOrder(
  t: ExecutionContext,
  accepted: readonly Promise<Submitted>[],
  first = 0,
): Promise<void> {
  const results = await Promise.all(accepted);
  const passed = results.filter((result) => result.ok);
  const numbers = passed.map(({ receipts }) => numberOf(receipts!.encoded));
  t.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
  t.deepEqual(
    passed.map(({ receipts }) => receipts!.index),
    passed.map((_, at) => first + at),
  );
  t.is(
    passed.length + results.filter((r) => !r.ok && r.code === 'overloaded').length,
    results.length,
  );
}

for (const threads of [1, 2, 3, 4]) {
  test(`I14, I19: on ${threads} threads nothing is lost, doubled or reordered`, async (t) => {
    const system = await new TestSystem(t, threads).start();
    const seeds = fc.sample(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 8, max: 40_000 })), {
        minLength: 20,
        maxLength: 20,
      }),
      { numRuns: 3, seed: threads },
    );
    const accepted: Promise<Submitted>[] = [];
    for (const bursts of seeds) {
      for (const [count, bytes] of bursts) {
        const size = count > 20 ? 64 : bytes;
        for (let i = 0; i < count; i++) {
          accepted.push(system.submit(ORDERS.pass, size, accepted.length));
        }
        if (count % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await assertAllInOrder(t, accepted);
    const logged = system.logged('replication');
    t.deepEqual(
      logged,
      logged.map((_, at) => at),
    );
  });
}

test('I15: a stalled thread stops its senders within one window; clients hear when to retry', async (t) => {
  const system = await new TestSystem(t, 2).start();
  const stalled = system.submit(ORDERS.stallTransaction);
  const accepted = await flood(system, () => true);
  t.true(accepted.length < 4096, `${accepted.length} were taken`);
  assertRefused(t, await system.submit(ORDERS.pass));
  const [, link] = system.system.links();
  t.true((link?.outstanding ?? Infinity) + (link?.waiting ?? Infinity) < 4096);
  system.openGate();
  t.true((await stalled).ok);
  await assertAllInOrder(t, accepted, 1);
  // The last answers may overtake the last acknowledgement: they come from another thread.
  await system.until(() => !system.system.isFull('transaction', 'client'));
  t.true((await system.submit(ORDERS.pass)).ok, 'takes work again');
});

test('I15: an actor whose log does not answer takes one window and no more', async (t) => {
  const system = await new TestSystem(t, 1).start();
  const stalled = system.submit(ORDERS.stallLog);
  const accepted = await flood(system, () => true);
  t.true(accepted.length < 4096, `${accepted.length} were taken`);
  assertRefused(t, await system.submit(ORDERS.pass));
  system.openGate();
  t.true((await stalled).ok);
  await assertAllInOrder(t, accepted, 1);
});

test('I23: a stall two threads away reaches the client, and nothing on the way grows', async (t) => {
  const system = await new TestSystem(t, 4).start();
  const stalled = system.submit(ORDERS.stallReplication);
  const accepted = await flood(system, () => system.outsideHeld);
  t.true(accepted.length > 1000, 'what fits was taken');
  t.true(accepted.length < 20_000, `${accepted.length} were taken`);
  assertRefused(t, await system.submit(ORDERS.pass));
  system.openGate();
  t.true((await stalled).ok);
  await assertAllInOrder(t, accepted, 1);
});

test('I16, I17: actors that failed start again together, from their logs', async (t) => {
  const system = await new TestSystem(t, 4).start();
  t.true((await system.submit(ORDERS.pass)).ok);
  const failed = system.submit(ORDERS.fail);
  const result = await failed;
  if (result.ok) return t.fail('was answered by a dead actor');
  t.is(result.code, 'outcome_unknown');
  assertRefused(t, await system.submit(ORDERS.pass));
  await system.until(() => system.runs === 2);
  t.is(system.restarts, 1);
  const again = await system.submit(ORDERS.pass);
  t.true(again.ok && again.receipts?.index === 1, 'replication went on where its log ends');
  t.deepEqual(system.logged('transaction'), [0, 1]);
});

test('I17: what no restart heals stops the node at once, with its exit code', async (t) => {
  const system = await new TestSystem(t, 1).start();
  void system.submit(ORDERS.diverge);
  const { exitCode, reason } = await system.fatal;
  t.is(exitCode, 4);
  t.regex(reason, /transaction: told to/);
  t.is(system.runs, 1);
});

test('a clean stop answers and writes all that was taken', async (t) => {
  const system = await new TestSystem(t, 4).start();
  const accepted = Array.from({ length: 500 }, (_, at) => system.submit(ORDERS.pass, 16, at));
  await new Promise((resolve) => setImmediate(resolve));
  const answered = assertAllInOrder(t, accepted);
  await answered;
  const tail = Array.from({ length: 100 }, (_, at) => system.submit(ORDERS.pass, 16, at));
  await Promise.race(tail);
  t.is(await system.system.stop(60_000), 'clean');
  const transaction = system.logged('transaction');
  t.is(transaction.length, 600);
});

test('a stop is cut at its bound when a thread is stalled', async (t) => {
  const system = await new TestSystem(t, 2).start();
  void system.submit(ORDERS.stallTransaction);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(await system.system.stop(50), 'cut');
});

const asking = (fromHeight: number): PeerMessage => ({ kind: 'fetchBlocks', fromHeight });

/** The peer network as the bridge uses it, writing down what it is asked. */
function recorder(): { readonly network: PeerNetwork; readonly asked: string[] } {
  const asked: string[] = [];
  const network = {
    pause: (peer: number, peerClass: string) => void asked.push(`pause ${peer} ${peerClass}`),
    resume: (peer: number, peerClass: string) => void asked.push(`resume ${peer} ${peerClass}`),
  };
  return { network: network as unknown as PeerNetwork, asked };
}

test('I15: while a thread is behind its peers are not read, and are read again afterwards', async (t) => {
  const system = await new TestSystem(t, 1).start();
  const { network, asked } = recorder();
  system.bridge.attach(network);
  const stalled = system.submit(ORDERS.stallTransaction);
  await new Promise((resolve) => setImmediate(resolve));
  let sent = 0;
  while (asked.length === 0 && sent < FLOOD) {
    system.bridge.received(2, [{ envelope: packMessage(asking(sent++)) }], 'control');
    if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(asked, ['pause 2 control']);
  t.true(sent <= 4096, `${sent} were taken`);
  system.openGate();
  await stalled;
  await system.until(() => system.items.length === sent);
  t.deepEqual(asked, ['pause 2 control', 'resume 2 control']);
  const back = system.items.map((item) =>
    item.kind === 'peerOut' ? [...item.envelope].join() : '',
  );
  const expected = Array.from({ length: sent }, (_, at) => [...packMessage(asking(at))].join());
  t.deepEqual(back, expected, 'each once, in order, for its sender');
});

test('an envelope that is none, or in an odd encoding, is its sender’s fault and harms nothing', async (t) => {
  const system = await new TestSystem(t, 4).start();
  system.bridge.received(1, [{ envelope: new Uint8Array([0xc1, 0xff]) }], 'control');
  const usual = packMessage({ kind: 'fetchBatches', lane: 1, fromSeq: 0, toSeq: 1 });
  const odd = new Uint8Array([0xdc, 0, 2, ...usual.subarray(1)]);
  system.bridge.received(3, [{ envelope: odd }], 'control');
  await system.until(() => system.items.length === 2);
  const faults = system.items.map((item) => (item.kind === 'fault' ? [item.peer, item.code] : []));
  t.deepEqual(faults, [
    [1, 'malformed'],
    [3, 'malformed'],
  ]);
  t.is(system.restarts, 0);
});

test('a decoder that throws is told with its stack, costs one message, and no actor', async (t) => {
  const system = await new TestSystem(t, 2).start();
  const envelope = { length: 3 } as Uint8Array;
  system.system.send('consensus', { kind: 'peerIn', from: 2, to: 'consensus', envelope });
  await system.until(() => system.items.length === 1);
  const [item] = system.items;
  if (item?.kind !== 'fault') return t.fail(item?.kind);
  t.deepEqual([item.peer, item.code], [2, 'decoder_failed']);
  t.regex(item.detail, /TypeError[^]*msgpack-reader/);
  t.is(system.restarts, 0);
});

test('what is broadcast is packed once and leaves as one item, body included', async (t) => {
  const system = await new TestSystem(t, 3).start();
  const message: PeerMessage = { kind: 'fetchBatches', lane: 1, fromSeq: 0, toSeq: 1 };
  system.bridge.received(1, [{ envelope: packMessage(message) }], 'control');
  await system.until(() => system.items.length === 1);
  const [item] = system.items;
  if (item?.kind !== 'peerOut') return t.fail(item?.kind);
  t.is(item.to, null);
  t.deepEqual([...item.envelope], [...packMessage(message)]);
});
