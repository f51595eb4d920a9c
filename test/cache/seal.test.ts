import test from 'ava';
import type { Digest } from '../../protocols/types.ts';
import { bytes, testSeal } from './fixture.ts';

test('Z3: what a node has closed it opens, and nothing else', (t) => {
  const seal = testSeal();
  const key = seal.keyOf('block/7');
  const closed = seal.close(key, bytes('content'));
  t.deepEqual(Buffer.from(seal.open(key, closed)!), bytes('content'));
  t.deepEqual(Buffer.from(seal.open(key, seal.close(key, bytes('')))!), bytes(''));
  for (let at = 0; at < closed.length; at++) {
    const altered = Buffer.from(closed);
    altered[at]! ^= 1;
    t.is(seal.open(key, altered), null, `${at}`);
    t.is(seal.open(key, closed.subarray(0, at)), null, `${at}`);
  }
  t.is(seal.open(key, Buffer.concat([closed, bytes('x')])), null);
});

test('Z3: an entry counts under its own name, node, key and cluster only', (t) => {
  const seal = testSeal();
  const key = seal.keyOf('block/7');
  const closed = seal.close(key, bytes('content'));
  t.is(seal.open(seal.keyOf('block/8'), closed), null);
  const others = [
    testSeal('validator-1', '22'.repeat(32) as Digest),
    testSeal('validator-1', undefined, Buffer.alloc(32, 8)),
  ];
  for (const other of others) {
    t.not(other.keyOf('block/7'), key);
    t.is(other.open(key, closed), null);
  }
  t.not(testSeal('node-2').keyOf('block/7'), key);
});

test('a key names the node, and not what was asked for', (t) => {
  t.regex(testSeal().keyOf('receipts/abc'), /^althing:validator-1:[0-9a-f]{64}$/);
});
