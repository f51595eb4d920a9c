/** Blocks and receipts that are kept, and those that are not. */
import test from 'ava';
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import type { Certificate, Digest } from '../../protocols/types.ts';
import { MemoryCache } from '../../src/cache/memory-cache.ts';
import type { Answered, FinalBlock } from '../../src/edge/port.ts';
import { KeptAnswers } from '../../src/supervisor/kept-answers.ts';
import { Forge } from '../consensus/forge.ts';

const ID = 'ab'.repeat(32) as Digest;
const HEIGHT = 1_000;

function keeping(): { cache: MemoryCache; kept: KeptAnswers } {
  const cache = new MemoryCache(1_000_000, 60_000);
  return { cache, kept: new KeptAnswers(cache, () => HEIGHT) };
}

/** Answers, and counts how often it was asked. */
function counted<T>(answer: T): { ask: () => Promise<T>; asked: () => number } {
  let times = 0;
  return { ask: () => Promise.resolve((times++, answer)), asked: () => times };
}

function blockOf(isCertified: boolean): FinalBlock {
  const forge = new Forge();
  const block = forge.block({});
  const certificate: Certificate | null = isCertified
    ? forge.certificate('commit', block, [0, 1, 3])
    : null;
  return { block, digest: forge.digest(block), certificate, txCount: 7 };
}

const receipts: SubmissionReceipts = {
  id: ID,
  height: 700,
  index: 3,
  txCount: 2,
  sender: 'key:åß',
  via: 'cd'.repeat(32),
  calls: new Uint8Array([1, 2, 3]),
  encoded: new Uint8Array([0, 0, 2]),
};
const found = (value: SubmissionReceipts, height = HEIGHT): Answered => ({
  height,
  result: { ok: true, value },
});

test('Z2: a block with its certificate is asked for once, and comes back as it was', async (t) => {
  const { kept } = keeping();
  const { ask, asked } = counted(blockOf(true));
  const first = await kept.block(1, ask);
  t.deepEqual(await kept.block(1, ask), first);
  t.is(asked(), 1);
  await kept.block(2, ask);
  t.is(asked(), 2);
});

test('Z2: what may still change is asked for each time', async (t) => {
  for (const [height, answer] of [
    [1, blockOf(false)],
    [1, null],
    [1, 'unavailable'],
    ['latest', blockOf(true)],
    [HEIGHT + 1, blockOf(true)],
  ] as const) {
    const { kept } = keeping();
    const { ask, asked } = counted(answer);
    t.is(await kept.block(height, ask), answer);
    t.is(await kept.block(height, ask), answer);
    t.is(asked(), 2);
  }
});

test('Z2: old receipts are asked for once, and come back as they were', async (t) => {
  const { kept } = keeping();
  const { ask, asked } = counted(found(receipts));
  t.deepEqual(await kept.receipts(ID, ask), found(receipts));
  t.deepEqual(await kept.receipts(ID, ask), found(receipts));
  t.is(asked(), 1);
});

test('receipts that are in memory elsewhere, and their absence, are not kept', async (t) => {
  const absent: Answered = {
    height: HEIGHT,
    result: { ok: false, code: 'not_found', message: 'no' },
  };
  for (const answer of [found({ ...receipts, height: 800 }), absent]) {
    const { kept } = keeping();
    const { ask, asked } = counted(answer);
    t.deepEqual(await kept.receipts(ID, ask), answer);
    t.deepEqual(await kept.receipts(ID, ask), answer);
    t.is(asked(), 2);
  }
});

test('what cannot be read is as if it were not there', async (t) => {
  const { cache, kept } = keeping();
  for (const garbage of [new Uint8Array(0), new Uint8Array([0xc1]), Buffer.from('garbage')]) {
    cache.set('block/1', garbage);
    cache.set(`receipts/${ID}`, garbage);
    const block = blockOf(true);
    t.is(await kept.block(1, () => Promise.resolve(block)), block);
    t.deepEqual(await kept.receipts(ID, () => Promise.resolve(found(receipts))), found(receipts));
  }
});
