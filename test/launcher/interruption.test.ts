/** What signals mean to a process that has something to end with it. */
import test, { type ExecutionContext } from 'ava';
import { Interrupted, Interruption } from '../../src/interruption.ts';

function newInterruption(t: ExecutionContext) {
  const clock = { ms: 0 };
  const further: string[] = [];
  const interruption = new Interruption(
    (signal) => further.push(signal),
    () => clock.ms,
  );
  t.teardown(() => interruption.close());
  return { signal: interruption.signal, further, clock };
}

test.serial('the first signal aborts with its name, whichever it is', (t) => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const { signal, further } = newInterruption(t);
    process.emit(name, name);
    t.true(signal.reason instanceof Interrupted);
    t.is((signal.reason as Interrupted).signal, name);
    t.deepEqual(further, []);
    process.removeAllListeners(name);
  }
});

test.serial('a Ctrl-C that npm tells once more is one wish; a later one is another', (t) => {
  const { further, clock } = newInterruption(t);
  process.emit('SIGINT', 'SIGINT');
  clock.ms = 20;
  process.emit('SIGINT', 'SIGINT');
  t.deepEqual(further, []);
  clock.ms = 2_000;
  process.emit('SIGINT', 'SIGINT');
  t.deepEqual(further, ['SIGINT']);
});

test.serial('another signal is another wish at once', (t) => {
  const { further } = newInterruption(t);
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGINT', 'SIGINT');
  t.deepEqual(further, ['SIGINT']);
});
