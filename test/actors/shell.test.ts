/** The loop that persists, then sends. */
import test from 'ava';
import { Shell } from '../../actors/shell.ts';
import type { LocalMessage } from '../../protocols/messages.ts';
import { eventAt, ManualHost, ScriptedMachine, type Input, type Step } from './machine.ts';

const finalTo = (height: number): LocalMessage => ({ kind: 'finalTo', height });
const tellVoting = (height: number) =>
  ({ kind: 'tell', to: 'voting', message: { kind: 'finalTo', height } }) as const;
const tellEdge = {
  kind: 'answer',
  request: 1,
  height: 1,
  result: { ok: true, value: null },
} as const;

function started(step: Step, reads = [] as never[]) {
  const host = new ManualHost();
  const machine = new ScriptedMachine(step, reads);
  const shell = new Shell<Input>(machine, host);
  shell.start(() => {});
  host.runTurns();
  return { host, machine, shell };
}

/** One event and one effect for every message; nothing for what the shell itself says. */
const logAndTell: Step = (input, out) => {
  if (input.kind !== 'finalTo') return;
  out.events.push(eventAt(input.height));
  out.effects.push(tellVoting(input.height));
};

test('I10: no effect leaves before the events of its turn are durable', (t) => {
  const { host, shell } = started(logAndTell);
  shell.deliver(finalTo(0));
  host.runTurns();
  t.is(host.appends.length, 1);
  t.deepEqual(host.told, []);
  host.answer();
  t.deepEqual(host.told, ['voting:finalTo']);
});

test('I10: an effect without events waits for the events of earlier turns', (t) => {
  const { host, shell } = started((input, out) => {
    if (input.kind === 'finalTo') out.events.push(eventAt(0));
    if (input.kind === 'laneRoom') out.effects.push(tellVoting(9));
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  shell.deliver({ kind: 'laneRoom', bytes: 1 });
  host.runTurns();
  t.deepEqual(host.told, [], 'the second turn has not begun');
  host.answer();
  host.runTurns();
  t.deepEqual(host.told, ['voting:finalTo']);
});

test('I10: only what the machine put into `immediate` leaves before the write', (t) => {
  const { host, shell } = started((input, out) => {
    if (input.kind !== 'finalTo') return;
    out.events.push(eventAt(0));
    out.effects.push(tellVoting(1));
    out.immediate.push({ kind: 'tell', to: 'edge', message: tellEdge });
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  t.deepEqual(host.told, ['edge:answer']);
});

test('a step may ask for more effects than a call takes arguments', (t) => {
  const effects = 300_000;
  const { host, shell } = started((input, out) => {
    if (input.kind !== 'finalTo') return;
    for (let at = 0; at < effects; at++) out.effects.push(tellVoting(at));
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  t.is(host.told.length, effects);
});

test('everything that waits goes into one turn and one append', (t) => {
  const { host, shell } = started(logAndTell);
  for (let height = 0; height < 5; height++) shell.deliver(finalTo(height));
  host.runTurns();
  t.deepEqual(
    host.appends.map(({ events }) => events.map(({ seq }) => seq)),
    [[0, 1, 2, 3, 4]],
  );
  for (let height = 5; height < 8; height++) shell.deliver(finalTo(height));
  host.runTurns();
  t.is(host.appends.length, 1, 'one write at a time');
  host.answer();
  host.runTurns();
  t.is(host.appends[0]?.events.length, 3);
});

test('I11: an append that fails ends the actor, and its effects never leave', (t) => {
  const { host, shell, machine } = started(logAndTell);
  shell.deliver(finalTo(0));
  host.runTurns();
  host.answer(new Error('disk full'));
  t.deepEqual(
    host.failures.map(({ message }) => message),
    ['disk full'],
  );
  shell.deliver(finalTo(1));
  host.runTurns();
  t.deepEqual(host.told, []);
  t.is(machine.steps.filter(({ kind }) => kind === 'finalTo').length, 1);
});

test('I11: a step that throws ends the actor without a write', (t) => {
  const { host, shell } = started((input, out) => {
    logAndTell(input, out);
    if (input.kind === 'laneRoom') throw new Error('broken');
  });
  shell.deliver(finalTo(0));
  shell.deliver({ kind: 'laneRoom', bytes: 1 });
  host.runTurns();
  t.is(host.failures.length, 1);
  t.is(host.appends.length, 0);
  t.deepEqual(host.told, []);
});

test('recovers in the order of the log, then starts, then hears what arrived meanwhile', (t) => {
  const host = new ManualHost();
  host.stored.push(eventAt(0), eventAt(1), eventAt(2), eventAt(3), eventAt(4));
  const machine = new ScriptedMachine(() => {}, [
    { stream: 'test', from: 'last', bodies: false },
    { stream: 'test', from: 1, bodies: true },
  ]);
  const shell = new Shell<Input>(machine, host);
  shell.deliver(finalTo(7));
  host.runTurns();
  t.deepEqual(machine.steps, []);
  shell.start(() => {});
  t.deepEqual(
    machine.recovered.map(({ seq }) => seq),
    [4, 1, 2, 3, 4],
  );
  host.runTurns();
  t.deepEqual(
    machine.steps.map(({ kind }) => kind),
    ['started', 'finalTo'],
  );
});

test('I11: an actor that cannot read its log does not start', (t) => {
  for (const from of ['last', 0] as const) {
    const host = new ManualHost();
    host.readError = new Error('no connection');
    const machine = new ScriptedMachine(() => {}, [{ stream: 'test', from, bodies: false }]);
    const shell = new Shell<Input>(machine, host);
    shell.start(() => t.fail('started'));
    host.runTurns();
    t.deepEqual(
      host.failures.map(({ message }) => message),
      ['no connection'],
    );
    t.deepEqual(machine.steps, []);
  }
});

test('writes deferred events with the next write, and soon without one', (t) => {
  const { host, shell } = started((input, out) => {
    if (input.kind === 'finalTo') out.deferred.push(eventAt(input.height));
    if (input.kind === 'laneRoom') out.events.push(eventAt(9));
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  t.is(host.appends.length, 0);
  shell.deliver({ kind: 'laneRoom', bytes: 1 });
  host.runTurns();
  t.deepEqual(
    host.appends[0]?.events.map(({ seq }) => seq),
    [0, 9],
  );
  host.answer();
  shell.deliver(finalTo(1));
  host.runTurns();
  const [[timer] = ['']] = host.timers;
  shell.timerFired(timer);
  t.deepEqual(
    host.appends[0]?.events.map(({ seq }) => seq),
    [1],
  );
});

test('a stop finishes what waits and makes it durable before it calls back', (t) => {
  const { host, shell } = started((input, out) => {
    logAndTell(input, out);
    if (input.kind === 'finalTo') out.deferred.push(eventAt(100));
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  shell.deliver(finalTo(1));
  let stopped = false;
  shell.stop(() => (stopped = true));
  host.runTurns();
  host.answer();
  host.runTurns();
  t.false(stopped);
  while (host.appends.length > 0) {
    host.answer();
    host.runTurns();
  }
  t.true(stopped);
  t.deepEqual(host.told, ['voting:finalTo', 'voting:finalTo']);
});

test('a stop takes also what was held from outside', (t) => {
  const { host, shell, machine } = started(() => {});
  shell.holdOutside(true);
  shell.deliver({ kind: 'submit', submissions: [] });
  let stopped = false;
  shell.stop(() => (stopped = true));
  host.runTurns();
  t.true(stopped);
  t.is(machine.steps.at(-1)?.kind, 'submit');
});

test('I21: while the outside is held, peers and clients wait and actors are heard', (t) => {
  const { host, shell, machine } = started(() => {});
  shell.holdOutside(true);
  shell.deliver({ kind: 'submit', submissions: [] });
  shell.deliver(finalTo(1));
  host.runTurns();
  t.deepEqual(
    machine.steps.map(({ kind }) => kind),
    ['started', 'finalTo'],
  );
  t.is(shell.waiting, 1);
  t.is(shell.waitingInside, 0);
  shell.holdOutside(false);
  host.runTurns();
  t.is(machine.steps.at(-1)?.kind, 'submit');
});

test('answers of the log come back as inputs', (t) => {
  const { host, shell, machine } = started((input, out) => {
    if (input.kind !== 'finalTo') return;
    out.effects.push({ kind: 'findLog', tag: 'f', key: 'k' });
    const range = { stream: 'test', from: 0, to: 1, bytesMax: 10 };
    out.effects.push({ kind: 'readLog', tag: 'r', ...range });
  });
  host.stored.push({ ...eventAt(0), keys: ['k'] });
  shell.deliver(finalTo(0));
  host.runTurns();
  t.deepEqual(
    machine.steps.slice(2).map((input) => ('tag' in input ? `${input.kind} ${input.tag}` : '')),
    ['logFound f', 'logRead r'],
  );
});

test('what is not needed any more is pruned after what replaces it is durable (I10, I151)', (t) => {
  const { host, shell } = started((input, out) => {
    if (input.kind !== 'finalTo') return;
    out.events.push(eventAt(0));
    out.effects.push({ kind: 'pruneLog', stream: 'test', below: 7 });
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  t.deepEqual(host.told, []);
  host.answer();
  t.deepEqual(host.told, ['prune:test/7']);
});

test('a snapshot is read in its turn of the recovery, part by part', (t) => {
  const host = new ManualHost();
  const height = 4;
  const parts = [Uint8Array.of(1), Uint8Array.of(2)];
  host.snapshots.push({ height, parts, head: Uint8Array.of(3) });
  const reads = [{ snapshotUpTo: 9 }, { snapshotUpTo: 3 }] as const;
  const machine = new ScriptedMachine(() => {}, reads);
  new Shell<Input>(machine, host).start(() => {});
  t.deepEqual(machine.found, [
    { kind: 'part', bytes: parts[0] },
    { kind: 'part', bytes: parts[1] },
    { kind: 'end', height, head: Uint8Array.of(3) },
    { kind: 'none' },
  ]);
});

test('snapshots that cannot be read end the actor before it starts', (t) => {
  const host = new ManualHost();
  host.readError = new Error('the disk is gone');
  const machine = new ScriptedMachine(() => {}, [{ snapshotUpTo: 9 }]);
  let hasStarted = false;
  new Shell<Input>(machine, host).start(() => {
    hasStarted = true;
  });
  t.deepEqual([host.failures.length, hasStarted], [1, false]);
});

test('a part of a snapshot leaves after the events of its turn, and its fate comes back', (t) => {
  const { host, machine, shell } = started((input, out) => {
    if (input.kind !== 'finalTo') return;
    out.events.push(eventAt(input.height));
    const part = new Uint8Array(1);
    out.effects.push({ kind: 'keepSnapshot', height: 4, index: input.height, part, head: null });
  });
  shell.deliver(finalTo(0));
  host.runTurns();
  t.deepEqual(host.told, []);
  host.answer();
  t.deepEqual(host.told, ['snapshot:4/0']);
  host.kept.shift()!();
  host.runTurns();
  shell.deliver(finalTo(1));
  host.runTurns();
  host.answer();
  host.kept.shift()!(new Error('no space left'));
  host.runTurns();
  t.deepEqual(
    machine.steps.filter(({ kind }) => kind === 'snapshotKept'),
    [null, 'no space left'].map((error) => ({ kind: 'snapshotKept', height: 4, error })),
  );
  t.deepEqual(host.failures, []);
});
