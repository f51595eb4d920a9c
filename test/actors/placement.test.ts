/** Which actors share a thread. */
import test from 'ava';
import { ACTORS, autoThreads, placementOf, THREADS_MAX } from '../../actors/placement.ts';

for (let threads = 1; threads <= THREADS_MAX; threads++) {
  test(`places each actor once on ${threads} threads`, (t) => {
    const placement = placementOf(threads);
    t.is(placement.length, threads);
    t.deepEqual(placement.flat().toSorted(), ACTORS.toSorted());
  });
}

test('refuses other numbers of threads by name', (t) => {
  for (const threads of [0, 5, 1.5, Number.NaN]) {
    t.throws(() => placementOf(threads), { instanceOf: RangeError, message: /threads: 1 to 4/ });
  }
});

test('two cores give one actor thread beside the main thread', (t) => {
  t.is(autoThreads(1), 1);
  t.is(autoThreads(2), 1);
  t.is(autoThreads(4), 2);
  t.is(autoThreads(64), THREADS_MAX);
});
