import test from 'ava';
import { toHex } from '../../protocols/bytes.ts';
import { MerkleFrontier } from '../../protocols/transaction/merkle.ts';
import { crypto } from './crypto.ts';

function hash(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  crypto.treeHash(bytes, out, 0);
  return out;
}

/** RFC 6962, section 2.1, over leaves that are hashed already. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const left = treeHash(leaves.slice(0, split));
  return hash(Buffer.concat([Uint8Array.of(1), left, treeHash(leaves.slice(split))]));
}

test('I51: the root after each append is the RFC 6962 tree hash', (t) => {
  const frontier = new MerkleFrontier(crypto);
  t.is<string, string>(frontier.digest(), '0'.repeat(64));
  const leaves: Uint8Array[] = [];
  for (let i = 0; i < 70; i++) {
    const leaf = hash(Uint8Array.of(i));
    leaves.push(leaf);
    frontier.append(leaf, 0);
    t.is<string, string>(frontier.digest(), toHex(treeHash(leaves)), `${i + 1} leaves`);
  }
  t.is(frontier.size, 70);
  frontier.clear();
  t.is<string, string>(frontier.digest(), '0'.repeat(64));
});
