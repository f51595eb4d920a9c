import test from 'ava';
import fc from 'fast-check';
import { CHAIN_STREAM, chainEntry } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import { ReceiptLog } from '../../protocols/transaction/receipt-log.ts';
import { OutcomeWriter } from '../../protocols/transaction/receipts.ts';
import { CallsWriter } from '../../protocols/transaction/calls.ts';
import { EMPTY_TIP, ZERO_DIGEST, type Block, type Digest } from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import { EVERY_EVENT, Filter } from '../../src/stream/filter.ts';
import { LogSource, type PageBounds } from '../../src/stream/log-source.ts';
import type { Height } from '../../src/stream/parts.ts';
import { MemoryLog } from './memory-log.ts';

const ALL = new Filter({ ...EVERY_EVENT, blocks: true, transactions: true });
const KV_SET = Uint8Array.of(2, ...Buffer.from('kv'), 3, ...Buffer.from('set'));

function blockAt(height: number): Block {
  return {
    epoch: 0,
    term: 4,
    height,
    parent: ZERO_DIGEST,
    justify: { kind: 'epoch' },
    cut: [EMPTY_TIP],
    timestamp: 1_000 * height,
    executed: {
      height: 0,
      stateRoot: ZERO_DIGEST,
      receiptsRoot: ZERO_DIGEST,
      pendingSet: ZERO_DIGEST,
    },
    endsEpoch: null,
    signature: new Uint8Array(64),
  };
}

const digestOf = ({ height }: { readonly height: number }): Digest =>
  height.toString(16).padStart(64, '0') as Digest;

/** A chain whose block n executed one submission of `sizes[n]` transactions, each with an event. */
class Chain {
  readonly log = new MemoryLog();
  readonly #receipts = new ReceiptLog();
  readonly #late: LogEvent[] = [];
  readonly source: LogSource;
  #height = 0;

  constructor(bounds?: PageBounds) {
    this.source = new LogSource(() => this.log, digestOf, bounds);
  }

  another(bounds?: PageBounds): LogSource {
    return new LogSource(() => this.log, digestOf, bounds);
  }

  /** Executes a block; its receipts reach the log with `write`. */
  execute(txCount: number, source: LogSource | null = this.source): void {
    const block = blockAt(++this.#height);
    const header = packStructure(chainEntry, { block, certificate: null });
    this.log.append([{ stream: CHAIN_STREAM, seq: block.height - 1, kind: 'final', header }]);
    const digest = digestOf(block);
    const receipts = txCount === 0 ? [] : [submission(block.height, txCount)];
    const result = { block, digest, txCount, receipts, receiptsRoot: digest, checkpoint: null };
    const event = this.#receipts.record(result as Parameters<ReceiptLog['record']>[0]);
    if (event !== null) this.#late.push(event);
    source?.executed(block.height, txCount);
  }

  /** So many of the receipts that wait. */
  write(count = Infinity): void {
    this.log.append(this.#late.splice(0, count));
  }
}

function submission(height: number, txCount: number) {
  const outcomes = new OutcomeWriter();
  const calls = new CallsWriter();
  outcomes.start();
  calls.start();
  for (let at = 0; at < txCount; at++) {
    calls.add(KV_SET);
    if (at % 2 === 0) {
      outcomes.ok(undefined, [{ module: 'kv', name: 'set', data: { at } }]);
      outcomes.add();
    } else outcomes.plain();
  }
  const id = digestOf({ height });
  const common = { sender: 'key:00', via: '', calls: calls.take(), encoded: outcomes.take() };
  return { id, height, index: 0, txCount, ...common };
}

function idsOf(heights: readonly Height[]): string[] {
  return heights.flatMap(({ parts }) => {
    let base = 0;
    return parts.flatMap((part) => {
      const decoded = part.decode(base);
      base += decoded.count;
      return decoded.passing(ALL).map(({ id }) => id);
    });
  });
}

/** Of a block with so many transactions. */
function idsWith(height: number, txCount: number): string[] {
  const count = 1 + txCount + Math.ceil(txCount / 2);
  return Array.from({ length: count }, (_, at) => `${height}.${at}`);
}

// S3, S4
test('whatever reaches the log when, each height is read whole, and in the end all of them', async (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('execute' as const), count: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('read' as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('restart' as const), count: fc.constant(0) }),
    fc.record({ kind: fc.constant('crash' as const), count: fc.integer({ min: 0, max: 3 }) }),
  );
  const bounds = { heightsMax: 5, bytesMax: 400 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const chain = new Chain(bounds);
      let { source } = chain;
      const sizes: number[] = [];
      const read: string[] = [];
      let next = 1;
      const readMore = async (): Promise<boolean> => {
        const heights = await source.read(next);
        read.push(...idsOf(heights));
        next += heights.length;
        return heights.length > 0;
      };
      for (const { kind, count } of steps) {
        if (kind === 'execute') {
          sizes.push(count);
          chain.execute(count, source);
        } else if (kind === 'write') chain.write(count);
        else if (kind === 'crash') {
          // An actor wrote what it executed, and was gone before it told.
          for (let at = 0; at < 7; at++) {
            sizes.push(count);
            chain.execute(count, null);
          }
          chain.write();
        } else if (kind === 'read') for (let times = 0; times < count; times++) await readMore();
        else {
          // A node writes what it executed before it stops; of the blocks after it is told again.
          chain.write();
          source = chain.another(bounds);
          const last = sizes.findLastIndex((size) => size > 0);
          for (let at = last + 1; at < sizes.length; at++) source.executed(at + 1, 0);
        }
      }
      sizes.push(0);
      chain.execute(0, source);
      chain.write();
      while (await readMore());
      t.deepEqual(
        read,
        sizes.flatMap((size, at) => idsWith(at + 1, size)),
      );
    }),
    { numRuns: 300 },
  );
});

/** All from a height on, up to another. */
async function readAll(source: LogSource, from: number, to: number): Promise<string[]> {
  const read: string[] = [];
  for (let next = from; next <= to;) {
    const heights = await source.read(next);
    read.push(...idsOf(heights));
    next += heights.length;
  }
  return read;
}

// S4
test('receipts of which nobody was told are read all the same, where a page is cut before them', async (t) => {
  const chain = new Chain({ heightsMax: 100, bytesMax: 4_000 });
  chain.execute(1);
  chain.write();
  t.is((await chain.source.read(1)).length, 1);
  // An actor wrote what it executed, and was gone before it told.
  for (let at = 0; at < 6; at++) chain.execute(200, null);
  chain.write();
  chain.execute(0);
  const expected = [2, 3, 4, 5, 6, 7].flatMap((at) => idsWith(at, 200));
  t.deepEqual(await readAll(chain.source, 2, 8), [...expected, '8.0']);
});

// S4
test('they are read, too, where receipts that came late stand before them', async (t) => {
  const chain = new Chain();
  chain.execute(1);
  chain.write();
  for (let at = 0; at < 3; at++) chain.execute(1);
  chain.execute(0);
  // Nothing of 5 can come any more; where its receipts would stand is not known for sure.
  t.deepEqual(await readAll(chain.source, 5, 5), ['5.0']);
  chain.write();
  for (let at = 0; at < 3; at++) chain.execute(1, null);
  chain.write();
  chain.execute(0);
  const expected = [6, 7, 8].flatMap((at) => idsWith(at, 1));
  t.deepEqual(await readAll(chain.source, 6, 9), [...expected, '9.0']);
});

// S4
test('a height whose receipts are not in the log is not read, nor any after it', async (t) => {
  const chain = new Chain();
  chain.execute(0);
  chain.execute(1);
  chain.execute(0);
  t.deepEqual(idsOf(await chain.source.read(1)), []);
  chain.write();
  t.deepEqual(idsOf(await chain.source.read(1)), ['1.0', ...idsWith(2, 1), '3.0']);
});

test('blocks without transactions are read as soon as they are executed', async (t) => {
  const chain = new Chain();
  for (let at = 0; at < 10; at++) chain.execute(0);
  t.is((await chain.source.read(4)).length, 7);
  t.is(await chain.source.newest(), 10);
});

test('any height is found in a log of many, with few reads', async (t) => {
  const chain = new Chain({ heightsMax: 3, bytesMax: 10_000 });
  for (let at = 1; at <= 1_000; at++) chain.execute(at % 3);
  chain.write();
  for (const height of [1, 2, 3, 499, 500, 501, 998, 999, 1_000]) {
    const source = chain.another({ heightsMax: 3, bytesMax: 10_000 });
    await source.newest();
    const { reads } = chain.log;
    const [found] = await source.read(height);
    t.deepEqual(idsOf([found!]), idsWith(height, height % 3));
    t.true(chain.log.reads - reads <= 14);
  }
});

test('a page is cut where it has enough bytes, and goes on where it was cut', async (t) => {
  const chain = new Chain({ heightsMax: 100, bytesMax: 500 });
  for (let at = 1; at <= 20; at++) chain.execute(2);
  chain.write();
  let next = 1;
  let pages = 0;
  for (; next <= 20; pages++) next += (await chain.source.read(next)).length;
  t.true(pages > 5);
});

test('what the log fails with is told, and the next read asks again', async (t) => {
  const chain = new Chain();
  chain.execute(1);
  chain.write();
  chain.log.failure = new Error('away');
  await t.throwsAsync(chain.source.read(1), { message: 'away' });
  await t.throwsAsync(chain.source.newest(), { message: 'away' });
  chain.log.failure = null;
  t.is((await chain.source.read(1)).length, 1);
});

test('receipts that are cut short are told as a log that cannot be read', async (t) => {
  const chain = new Chain();
  chain.execute(1);
  chain.write();
  const event = chain.log.find(digestOf({ height: 1 }))!;
  Object.assign(event, { body: event.body!.slice(0, -1) });
  await t.throwsAsync(chain.source.read(1), { message: /cut short/ });
});
