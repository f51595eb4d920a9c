import test from 'ava';
import type { MissingProgram, TransactionStatus } from '../../protocols/status.ts';
import type { Digest } from '../../protocols/types.ts';
import { MissingPrograms } from '../../src/supervisor/missing-programs.ts';
import { NOTHING_YET } from '../../src/supervisor/nothing-yet.ts';

const digest = 'ab'.repeat(32) as Digest;
const raffle: MissingProgram = { name: 'raffle', version: 2, digest, height: 500 };
const other: MissingProgram = { ...raffle, height: 600, version: 3 };

function heard() {
  const lines: string[] = [];
  const keep = (level: string) => (_: object, text: string) => void lines.push(`${level} ${text}`);
  const missing = new MissingPrograms({ info: keep('info'), warn: keep('warn') });
  const note = (programs: readonly MissingProgram[], more: Partial<TransactionStatus> = {}) => {
    // As they come from a thread: never the same objects.
    const missingPrograms = programs.map((each) => ({ ...each }));
    missing.note({ ...NOTHING_YET.transaction, missingPrograms, ...more });
    return lines.splice(0);
  };
  return note;
}

test('a node warns once of each module that it lacks for an upgrade, and says when it is not to come', (t) => {
  const note = heard();
  t.deepEqual(note([]), []);
  const [warning, ...more] = note([raffle]);
  t.regex(
    warning!,
    /^warn from height 500 on the cluster runs raffle 2, which .* --modules .* withdraw/,
  );
  t.deepEqual(more, []);
  t.deepEqual(note([raffle]), []);
  t.regex(note([raffle, other])[0]!, /^warn from height 600 on the cluster runs raffle 3/);
  t.deepEqual(note([other]), ['info raffle 2 is no longer among the next upgrades']);
  t.is(note([raffle, other]).length, 1, 'approved anew');
});

test('what was missing on the way to where the node had been is told of only if it still is', (t) => {
  const note = heard();
  t.deepEqual(note([raffle], { replayingTo: 400 }), []);
  t.deepEqual(note([]), []);
  t.deepEqual(note([raffle], { replayingTo: 400 }), []);
  t.is(note([raffle]).length, 1);
});
