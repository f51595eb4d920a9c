import test from 'ava';
import fc from 'fast-check';
import { ZERO_DIGEST, type PublicKey } from '../../protocols/types.ts';
import { ClientWindows, WINDOW, type Standing } from '../../protocols/transaction/windows.ts';
import { StateTree } from '../../protocols/transaction/state-tree.ts';
import { fromHex } from '../../protocols/bytes.ts';
import { crypto } from './crypto.ts';

const key = 'aa'.repeat(32) as PublicKey;
const MINUTE = 60_000;
const receiptsDigest = new Uint8Array(32);

/** The id of a submission of this client: its seq, its content and its end make it. */
function idOf(seq: number, content: number, validUntil: number): Uint8Array {
  return fromHex(crypto.hash(Buffer.from(`${seq}/${content}/${validUntil}`)));
}

interface Offered {
  readonly seq: number;
  readonly content: number;
  /** Milliseconds from the time it is offered to the end of its validity. */
  readonly validForMs: number;
  /** How much time passes before it is offered. */
  readonly afterMs: number;
}

/** A window as the executor drives it, which forgets so much with each submission. */
class Driven {
  readonly windows = new ClientWindows();
  readonly #forgotten: number;
  time = 1_700_000_000_000;
  height = 0;

  constructor(forgotten = Infinity) {
    this.#forgotten = forgotten;
  }

  /** What becomes of the submission in the chain. */
  offer(seq: number, content: number, validUntil: number): Standing['kind'] | 'expired' {
    this.windows.expire(this.time, this.#forgotten);
    const idBytes = idOf(seq, content, validUntil);
    const standing = this.windows.standing(key, seq, idBytes);
    if (standing.kind === 'executed') return 'executed';
    if (validUntil < this.time) return 'expired';
    if (standing.kind === 'refused') {
      this.windows.refused(key, validUntil);
      return 'refused';
    }
    const id = crypto.hash(idBytes);
    const place = { id, height: ++this.height, index: 0, txCount: 1 };
    this.windows.executed(key, { ...place, seq, validUntil, idBytes, receiptsDigest });
    return 'new';
  }
}

const offered: fc.Arbitrary<Offered> = fc.record({
  seq: fc.oneof(fc.nat(40), fc.integer({ min: 1000, max: 1100 }), fc.nat(5000)),
  content: fc.nat(1),
  validForMs: fc.constantFrom(1_000, 30_000, 3 * MINUTE),
  afterMs: fc.constantFrom(0, 0, 10, 20_000, MINUTE, 4 * MINUTE),
});

test('I42: a retry finds the first execution, and another content under its seq is refused', (t) => {
  const driven = new Driven();
  const until = driven.time + MINUTE;
  t.is(driven.offer(5, 0, until), 'new');
  t.is(driven.offer(5, 0, until), 'executed');
  t.is(driven.offer(5, 1, until), 'refused');
  const found = driven.windows.standing(key, 5, idOf(5, 0, until));
  t.is(found.kind === 'executed' ? found.place.height : 0, 1);
});

test('I42, I43: under any history, however late it is forgotten, nothing executes twice and no refusal is taken back', (t) => {
  const histories = fc.array(offered, { maxLength: 60 });
  fc.assert(
    fc.property(histories, fc.constantFrom(Infinity, 1, 0), (history, forgotten) => {
      const driven = new Driven(forgotten);
      const done = new Set<string>();
      const refused = new Set<string>();
      const all: { seq: number; content: number; validUntil: number }[] = [];
      for (const { seq, content, validForMs, afterMs } of history) {
        driven.time += afterMs;
        all.push({ seq, content, validUntil: driven.time + validForMs });
        // Everything that was ever offered may come again, through any lane.
        for (const each of all) {
          const name = `${each.seq}/${each.content}/${each.validUntil}`;
          const outcome = driven.offer(each.seq, each.content, each.validUntil);
          if (outcome === 'new') {
            t.false(done.has(name), 'executed twice');
            t.false(refused.has(name), 'executed after a refusal');
            done.add(name);
          }
          if (outcome === 'refused' || (outcome === 'expired' && !done.has(name)))
            refused.add(name);
        }
      }
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('I43: a refusal outside the chain is settled only while the client is remembered for it', (t) => {
  const driven = new Driven();
  const until = driven.time + MINUTE;
  driven.offer(5, 0, until);
  t.true(driven.windows.isSettled(key, until));
  t.false(driven.windows.isSettled(key, until + 1));
  driven.offer(5, 1, until + 5 * MINUTE);
  t.true(driven.windows.isSettled(key, until + 5 * MINUTE));
  driven.time += 4 * MINUTE;
  t.is(driven.offer(5, 2, driven.time + 1000), 'refused');
});

test('I44: a window holds 1024 seqs, and below it all is too old', (t) => {
  const driven = new Driven();
  const until = driven.time + MINUTE;
  for (let seq = 0; seq < WINDOW + 17; seq++) t.is(driven.offer(seq, 0, until), 'new');
  const below = driven.windows.standing(key, 3, idOf(3, 0, until));
  t.deepEqual(below, { kind: 'refused', code: 'seq_too_old' });
  t.is(driven.offer(16, 0, until), 'executed');
});

test('I44: what a window left behind until the next checkpoint costs nothing when it moves on', (t) => {
  const { windows, time } = new Driven();
  const place = { id: ZERO_DIGEST, height: 1, index: 0, txCount: 1, validUntil: time + MINUTE };
  const idBytes = new Uint8Array(32);
  const seqs = Array.from({ length: 200_000 }, (_, at) => 16 * at);
  for (const seq of seqs) windows.executed(key, { ...place, seq, idBytes, receiptsDigest });
  const remembered = seqs.filter((seq) => windows.standing(key, seq, idBytes).kind === 'executed');
  t.deepEqual(remembered, seqs.slice(-1 - WINDOW / 16));
});

test('I44: nothing of a client stays in the state once all of it has ended', (t) => {
  const tree = new StateTree(crypto);
  const driven = new Driven();
  for (let seq = 0; seq < 100; seq++) driven.offer(seq, 0, driven.time + 1000 * seq);
  driven.windows.flush(tree);
  t.not<string, string>(tree.update(), '0'.repeat(64));
  driven.windows.expire(driven.time + 5 * MINUTE, Infinity);
  driven.windows.flush(tree);
  t.is<string, string>(tree.update(), '0'.repeat(64));
  t.is(driven.windows.size, 0);
});

test('I44: a client whose validUntils alternate between two minutes is taken once, when the first ends', (t) => {
  const driven = new Driven();
  for (let seq = 0; seq < 3000; seq++) {
    driven.offer(seq, 0, driven.time + (1 + (seq % 2)) * MINUTE);
  }
  const visits = [1, 2, 3].map(() => driven.windows.expire(driven.time + 5 * MINUTE, 1) > 0);
  t.deepEqual(visits, [true, false, false]);
  driven.windows.flush(new StateTree(crypto));
  t.is(driven.windows.size, 0);
});

test('a client that comes back before the next checkpoint has one leaf, not two', (t) => {
  const fresh = (history: (driven: Driven) => void): string => {
    const tree = new StateTree(crypto);
    const driven = new Driven();
    const later = driven.time + 10 * MINUTE;
    driven.offer(1, 0, driven.time + 1000);
    driven.windows.flush(tree);
    tree.update();
    history(driven);
    driven.time = later;
    driven.height = 1;
    driven.offer(2, 0, later + 1000);
    driven.windows.flush(tree);
    return tree.update();
  };
  const tree = new StateTree(crypto);
  const alone = new Driven();
  alone.time += 10 * MINUTE;
  alone.height = 1;
  alone.offer(2, 0, alone.time + 1000);
  alone.windows.flush(tree);
  t.is<string, string>(
    fresh(() => undefined),
    tree.update(),
  );
});
