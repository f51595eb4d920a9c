/** What was left out of the log is said in its next line. */
import test from 'ava';
import { LineWindow } from '../../src/line-window.ts';

test('lines beyond the window are left out, and counted in the first line of the next', (t) => {
  let now = 0;
  const lines = new LineWindow(3, () => now);
  t.deepEqual(
    [1, 2, 3, 4, 5].map(() => lines.next()),
    [0, 0, 0, null, null],
  );
  now += 10_001;
  t.is(lines.next(), 2);
  t.is(lines.next(), 0);
});
