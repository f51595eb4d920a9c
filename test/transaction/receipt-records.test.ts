import test from 'ava';
import fc from 'fast-check';
import { CallsWriter, decodeCalls } from '../../protocols/transaction/calls.ts';
import { packReceipts, readReceipts } from '../../protocols/transaction/receipt-records.ts';
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';
import { call, named } from './names.ts';
import { Chain, nodes, signed, vouched } from './fixture.ts';

const hex32 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Digest);
const bytes = fc.uint8Array({ maxLength: 20 }).map((each) => Uint8Array.from(each));
const receipts: fc.Arbitrary<SubmissionReceipts> = fc.record({
  id: hex32,
  height: fc.constant(7),
  index: fc.nat(),
  txCount: fc.nat(1000),
  sender: fc.string({ unit: 'grapheme', maxLength: 40 }),
  via: fc.oneof(fc.constant(''), hex32),
  calls: bytes,
  encoded: bytes,
});

test('the receipts of a block are read back as they were written', (t) => {
  fc.assert(
    fc.property(fc.array(receipts, { maxLength: 5 }), (all) => {
      const body = packReceipts(all);
      const read: SubmissionReceipts[] = [];
      for (let at = 0; at < body.length;) {
        const next = readReceipts(body, at, 7)!;
        read.push(next.receipts);
        at = next.end;
      }
      t.deepEqual(read, all);
    }),
  );
});

test('records that are cut short are told, wherever the cut is', (t) => {
  fc.assert(
    fc.property(receipts, fc.nat(), (one, cut) => {
      const body = packReceipts([one]);
      t.is(readReceipts(body.subarray(0, cut % body.length), 0, 7), null);
    }),
  );
});

test('the calls of a submission say which commands ran, in runs', (t) => {
  const writer = new CallsWriter();
  const put = named('scratch', 'put');
  writer.start();
  for (const names of [put, put, named('scratch', 'look'), put]) writer.add(names);
  t.deepEqual(decodeCalls(writer.take(), 4), [
    { count: 2, module: 'scratch', command: 'put' },
    { count: 1, module: 'scratch', command: 'look' },
    { count: 1, module: 'scratch', command: 'put' },
  ]);
  writer.start();
  writer.add(put);
  const one = writer.take();
  t.is(decodeCalls(one, 2), null);
  for (let end = 1; end < one.length; end++) t.is(decodeCalls(one.subarray(0, end), 1), null);
});

test('receipts say who asked for what, also of commands that nobody has', (t) => {
  const chain = new Chain();
  const { receipts: all } = chain.next([
    [0, [signed(0, [call('put', { key: 'a', value: 1 }), call('nothing', 1)])]],
    [1, [vouched('k', [call('look', null)], { lane: 1 })]],
  ]);
  const [client, node] = all;
  t.true(client!.sender.startsWith('key:'));
  t.is(client!.via, '');
  t.deepEqual(
    decodeCalls(client!.calls, 2)!.map(({ command }) => command),
    ['put', 'nothing'],
  );
  t.deepEqual([node!.sender, node!.via], ['principal:alice', nodes[1]!.publicKey]);
});
