/** What a height is cut into, and what is kept of it. */
import test from 'ava';
import { ReceiptLog } from '../../protocols/transaction/receipt-log.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import { EVERY_EVENT, Filter } from '../../src/stream/filter.ts';
import { encoded, Item } from '../../src/stream/item.ts';
import { heightOf, type Part } from '../../src/stream/parts.ts';
import { alice, Chain, signed } from '../transaction/fixture.ts';

/** Of three transactions, each with an event. */
function submissionPart(): Part {
  const calls = Array(3).fill({ module: 'scratch', command: 'look', args: null }) as Call[];
  const result = new Chain().run(signed(0, calls, { signer: alice }));
  const event = new ReceiptLog().record(result);
  const entry = { block: result.block, certificate: null };
  const { parts } = heightOf(entry, event, () => '00'.repeat(32) as Digest);
  return parts[1]!;
}

const WANTED = { ...EVERY_EVENT, transactions: true };

test('what passes is kept for a few filters, and is the same however many there are', (t) => {
  const part = submissionPart();
  const decoded = part.decode(1);
  const all = new Filter(WANTED);
  const first = decoded.passing(all);
  t.is(first.length, 6);
  t.is(decoded.passing(new Filter(WANTED)), first);
  for (let number = 0; number < 400; number++) {
    decoded.passing(new Filter({ ...WANTED, topics: [`x${number}.y`] }));
  }
  const again = decoded.passing(all);
  t.not(again, first);
  t.deepEqual(again, first);
});

test('a filter is kept under a key of one size, whatever its subscriber names', (t) => {
  const long = Array.from({ length: 64 }, (_, at) => `${at}`.repeat(40));
  const { key } = new Filter({ ...WANTED, only: { member: 'round', values: long } });
  t.is(key.length, new Filter(WANTED).key.length);
  t.not(key, new Filter(WANTED).key);
});

test('those who want a few values share what they have in common, however many they are', (t) => {
  const decoded = submissionPart().decode(1);
  const common = decoded.passing(new Filter(EVERY_EVENT));
  t.is(common.length, 3);
  const narrowed = (values: readonly string[]) =>
    decoded.passing(new Filter({ ...EVERY_EVENT, only: { member: 'first', values } }));
  const { data } = common[1]!.value as { readonly data: { readonly first: string } };
  t.deepEqual(narrowed([data.first]), common.slice(1, 2));
  t.deepEqual(narrowed(['another', data.first]), common.slice(1, 2));
  for (let number = 0; number < 400; number++) t.deepEqual(narrowed([`x${number}`]), []);
  t.is(decoded.passing(new Filter(EVERY_EVENT)), common);
  const only = { member: 'absent', values: ['x'] };
  t.deepEqual(decoded.passing(new Filter({ ...EVERY_EVENT, only })), []);
  const transactions = decoded.passing(new Filter({ ...WANTED, only }));
  t.is(transactions.length, 3, 'transactions have no data to ask for');
});

test('S5: items are written until they have some bytes together, and at least one', (t) => {
  const items = Array.from({ length: 64 }, (_, at) => new Item(String(at), {}));
  const asMany = (bytes: number): number => encoded(items, () => 'x'.repeat(bytes)).length;
  t.is(asMany(10), 64);
  t.is(asMany(16 * 1024), 4);
  t.is(asMany(1_000_000), 1);
});
