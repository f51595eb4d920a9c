/** How long the projection rests: most of the time, and after no step for longer than is good. */
import test from 'ava';
import { restMs } from '../../src/read-model/resting.ts';

for (const [when, isAtEnd, load, cases] of [
  ['it keeps up', true, 0, { 0: 0, 10: 490, 20: 980, 21: 1_000, 3_000: 1_000 }],
  ['it keeps up with as much as it may', true, 1_000, { 10: 490, 3_000: 1_000 }],
  ['it keeps up under load', true, 1_001, { 10: 490, 204: 9_996, 205: 10_000, 3_000: 10_000 }],
  ['it falls behind under load', false, 5_000, { 10: 490, 204: 9_996, 3_000: 10_000 }],
  ['it catches up', false, 1_000, { 10: 0, 3_000: 0 }],
] as const) {
  test(`where ${when}, it rests 49 times as long as a step took, within a bound`, (t) => {
    for (const [ms, rest] of Object.entries(cases)) {
      t.is(restMs({ isAtEnd }, Number(ms), load), rest, `after ${ms} ms`);
    }
  });
}
