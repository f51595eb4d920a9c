/** Final blocks as clients are shown them. */
import test from 'ava';
import { CHAIN_STREAM, chainEntry } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import { ReceiptLog } from '../../protocols/transaction/receipt-log.ts';
import { ZERO_DIGEST, type Block, type Certificate } from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import type { FinalBlock } from '../../src/edge/port.ts';
import { LogError } from '../../src/log/errors.ts';
import { Blocks } from '../../src/supervisor/blocks.ts';
import { Forge } from '../consensus/forge.ts';

/** A chain of `length` blocks; every third executes as many transactions as its height says. */
function chain(length: number): { forge: Forge; blocks: Block[]; receipts: LogEvent[] } {
  const forge = new Forge();
  const blocks = [forge.block({})];
  while (blocks.length < length) blocks.push(forge.child(blocks.at(-1)!));
  const log = new ReceiptLog();
  const receipts = blocks.flatMap((block) => {
    const txCount = block.height;
    const encoded = new Uint8Array(3);
    const asked = { sender: '', via: '', calls: new Uint8Array(0) };
    const place = { id: forge.digest(block), height: block.height, index: 0, txCount };
    const one = { ...place, ...asked, encoded };
    const isIdle = block.height % 3 !== 0;
    const event = log.record({
      block,
      digest: forge.digest(block),
      txCount: isIdle ? 0 : txCount,
      receipts: isIdle ? [] : [one],
      receiptsRoot: ZERO_DIGEST,
      checkpoint: null,
    });
    return event === null ? [] : [event];
  });
  return { forge, blocks, receipts };
}

function blocksOver(
  forge: Forge,
  stored: readonly { block: Block; certificate: Certificate | null }[],
  receipts: readonly LogEvent[],
): Blocks {
  const streams: Record<string, readonly LogEvent[]> = {
    transaction: receipts,
    [CHAIN_STREAM]: stored.map((entry, seq) => ({
      stream: CHAIN_STREAM,
      seq,
      kind: 'final',
      header: packStructure(chainEntry, entry),
    })),
  };
  const log: ConstructorParameters<typeof Blocks>[0] = {
    read: ({ stream, from, to }, done) => done(null, streams[stream]!.slice(from, to)),
    readLast: (stream, done) => done(null, streams[stream]!.at(-1) ?? null),
  };
  return new Blocks(log, forge.cluster.id, () => stored.length);
}

/** The block that is there. */
async function at(blocks: Blocks, height: number): Promise<FinalBlock | null> {
  const found = await blocks.at(height);
  if (found === 'unavailable') throw new Error('the log did not answer');
  return found;
}

test('says how many transactions a block executed, after a restart as before', async (t) => {
  for (const length of [1, 2, 3, 7, 40]) {
    const { forge, blocks, receipts } = chain(length);
    const stored = blocks.map((block) => ({ block, certificate: null }));
    const served = blocksOver(forge, stored, receipts);
    for (const { height } of blocks) {
      t.is((await at(served, height))?.txCount, height % 3 === 0 ? height : 0, `${height}`);
    }
    t.is(await at(served, length + 1), null);
  }
});

test('I81: hands on the certificate of the block, or of the next that has one, however far', async (t) => {
  const { forge, blocks, receipts } = chain(140);
  const certified = [blocks[1]!, blocks[138]!];
  const stored = blocks.map((block) => ({
    block,
    certificate: certified.includes(block) ? forge.certificate('commit', block, [0, 1, 3]) : null,
  }));
  const served = blocksOver(forge, stored, receipts);
  for (const [height, covering] of [
    [1, 2],
    [2, 2],
    [3, 139],
    [139, 139],
  ] as const) {
    t.is((await at(served, height))?.certificate?.height, covering);
  }
  t.is((await at(served, 140))?.certificate, null);
});

test('tells a log that does not answer now from one that is wrong', async (t) => {
  const { forge } = chain(1);
  const failing = (error: Error): Blocks => {
    const log: ConstructorParameters<typeof Blocks>[0] = {
      read: (_, done) => done(error, []),
      readLast: (_, done) => done(error, null),
    };
    return new Blocks(log, forge.cluster.id, () => 1);
  };
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  for (const error of [new LogError('unavailable', 'away'), refused]) {
    t.is(await failing(error).at(1), 'unavailable');
  }
  const altered = new LogError('log_altered', 'changed');
  await t.throwsAsync(failing(altered).at(1), { is: altered });
});
