/** What crosses between threads, packed. */
import test from 'ava';
import { packItems, unpackItems, type CrossingFrame } from '../../actors/frame.ts';
import type { Item } from '../../actors/traffic.ts';
import type { Digest } from '../../protocols/types.ts';

const LARGE = 20_000;
const bytesOf = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);

/** As another thread gets it. */
function crossed(items: readonly Item[]): Item[] {
  const { frame, transfer } = packItems(items);
  return unpackItems(structuredClone<CrossingFrame>(frame, { transfer }));
}

const sealBatch = (payload: Uint8Array): Item => ({
  kind: 'local',
  to: 'replication',
  message: { kind: 'sealBatch', payload, txCount: 1 },
});

function payloadOf(item: Item | undefined): Uint8Array {
  if (item?.kind === 'local' && item.message.kind === 'sealBatch') return item.message.payload;
  throw new Error('not a sealed batch');
}

test('I12: a slice of a pooled buffer is copied, and the pool stays whole', (t) => {
  const pool = Buffer.alloc(4 * LARGE, 7);
  const slice = pool.subarray(LARGE, 2 * LARGE);
  const [item] = crossed([sealBatch(slice)]);
  t.deepEqual(new Uint8Array(payloadOf(item)), bytesOf(LARGE, 7));
  t.is(pool.byteLength, 4 * LARGE);
  t.is(slice[0], 7);
});

test('I12: bytes that the sender keeps are copied; those that it gives up move', (t) => {
  const kept = bytesOf(LARGE, 1);
  const givenUp = bytesOf(LARGE, 2);
  const peerOut: Item = {
    kind: 'peerOut',
    to: null,
    peerClass: 'data',
    envelope: bytesOf(10, 3),
    body: kept,
  };
  const [out, seal] = crossed([peerOut, sealBatch(givenUp)]);
  t.deepEqual(out, peerOut);
  t.is(kept.length, LARGE);
  t.is(givenUp.length, 0, 'its buffer went without a copy');
  t.deepEqual(payloadOf(seal), bytesOf(LARGE, 2));
});

test('small bytes own their memory on the other side', (t) => {
  const [item] = crossed([sealBatch(bytesOf(64, 5))]);
  t.is(payloadOf(item).buffer.byteLength, 64);
});

test('every kind of item survives the crossing', (t) => {
  const id = 'ab'.repeat(32) as Digest;
  const asked = { sender: 'key:1', via: '', calls: bytesOf(7, 3) };
  const receipts = { id, height: 3, index: 1, txCount: 2, ...asked, encoded: bytesOf(LARGE, 9) };
  const value = { amount: 2n ** 63n - 1n, least: -(2n ** 63n), small: 5n, text: 'é', none: null };
  const items: Item[] = [
    { kind: 'peerLink', peer: 2, up: true },
    { kind: 'command', command: 'drain' },
    { kind: 'fault', peer: 1, code: 'malformed', detail: 'x' },
    { kind: 'report', report: { kind: 'recovered' } },
    {
      kind: 'local',
      to: 'transaction',
      message: {
        kind: 'submit',
        submissions: [
          { request: 1, bytes: bytesOf(30, 4), until: 'admitted' },
          { request: 2, bytes: bytesOf(LARGE, 5) },
        ],
      },
    },
    {
      kind: 'local',
      to: 'edge',
      message: {
        kind: 'submitted',
        results: [
          { request: 1, ok: true, receipts },
          { request: 3, ok: true, receipts: null },
          { request: 2, ok: false, code: 'lane_full', message: 'full', retryAfterMs: 50 },
        ],
      },
    },
    {
      kind: 'local',
      to: 'edge',
      message: { kind: 'answer', request: 3, height: 9, result: { ok: true, value } },
    },
  ];
  const plain = (value: unknown): unknown => (value instanceof Uint8Array ? [...value] : undefined);
  const flat = (all: readonly Item[]): string =>
    JSON.stringify(all, (_, each: unknown) =>
      typeof each === 'bigint' ? `${each}n` : (plain(each) ?? each),
    );
  const expected = flat(items).replaceAll(/\{"type":"Buffer","data":(\[[^\]]*\])\}/g, '$1');
  const actual = flat(crossed(items)).replaceAll(/\{"type":"Buffer","data":(\[[^\]]*\])\}/g, '$1');
  t.is(actual, expected);
});
