/** What becomes of a node when an actor fails. */
import test from 'ava';
import { exitCodeOf, Supervision } from '../../src/supervisor/supervision.ts';

test('I17: restarts with growing pauses, and gives up when failures crowd', (t) => {
  const supervision = new Supervision();
  const verdicts = [0, 1, 2, 3, 4, 5].map((second) => supervision.failed('x', second * 1000));
  const pauses = verdicts.slice(0, 5).map((each) => (each.kind === 'restart' ? each.afterMs : -1));
  t.deepEqual(pauses, [100, 200, 400, 800, 1600]);
  t.deepEqual(verdicts[5], { kind: 'stop', exitCode: 1 });
});

test('I17: failures far apart are forgiven', (t) => {
  const supervision = new Supervision();
  for (let minute = 0; minute < 20; minute++) {
    t.deepEqual(supervision.failed('x', minute * 61_000), { kind: 'restart', afterMs: 100 });
  }
});

for (const [code, exitCode] of [
  ['log_altered', 3],
  ['log_diverged', 3],
  ['log_unreadable', 3],
  ['own_batch_lost', 3],
  ['state_diverged', 4],
  ['identity_taken', 5],
  ['wrong_identity', 2],
  ['program_missing', 2],
] as const) {
  test(`I17: ${code} stops the node at once with exit code ${exitCode}`, (t) => {
    t.deepEqual(new Supervision().failed(code, 0), { kind: 'stop', exitCode });
    t.is(exitCodeOf(code), exitCode);
  });
}
