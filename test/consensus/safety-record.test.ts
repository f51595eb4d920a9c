import test from 'ava';
import { CHAIN_STREAM } from '../../protocols/chain.ts';
import { CONSENSUS_STREAM } from '../../protocols/consensus/events.ts';
import { Recovery } from '../../protocols/consensus/recovery.ts';
import { SAFETY_STREAM } from '../../protocols/consensus/safety-record.ts';
import { newState, type State } from '../../protocols/consensus/state.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { SimNode } from '../sim/node.ts';
import { profileOf } from '../sim/profile.ts';
import { engine } from '../sim/scenarios/scenario.ts';
import { World } from '../sim/world.ts';

type Streams = ReadonlyMap<string, readonly LogEvent[]>;

/** All that the honest nodes of a run ever had in their logs, pruned or not. */
function logsOf(seed: number): { readonly world: World; readonly logs: Map<SimNode, Streams> } {
  const focus = ['snapshots', 'crash', 'partition'] as const;
  const profile = { ...profileOf(seed, { nodes: 4, focus }), snapshotWorkMin: 40 };
  const logs = new Map<SimNode, Map<string, LogEvent[]>>();
  const world = new World(engine, profile, {
    arrange: ({ checkers }) =>
      checkers.observers.push({
        synced(node, events) {
          const streams = logs.get(node) ?? new Map<string, LogEvent[]>();
          logs.set(node, streams);
          for (const event of events) {
            streams.set(event.stream, [...(streams.get(event.stream) ?? []), event]);
          }
        },
      }),
  });
  world.run();
  return { world, logs };
}

/** What a node starts with whose log holds these streams. */
function recovered({ setup }: SimNode, streams: Streams): State {
  const { cluster, validator: self, crypto, signer, timing } = setup;
  const state = newState({ cluster, self, crypto, signer, timing });
  const recovery = new Recovery(state);
  for (let read = recovery.next(); read !== null; read = recovery.next()) {
    if (!('stream' in read)) throw new Error('consensus reads streams alone');
    const { stream, from } = read;
    const events = streams.get(stream) ?? [];
    for (const event of from === 'last' ? events.slice(-1) : events.slice(from)) {
      recovery.read(event);
    }
  }
  return state;
}

/** The log as it was when this many facts and whole records were in it, and no later blocks. */
function upTo(streams: Streams, facts: number, records: number, blocks: number): Streams {
  const of = (stream: string, end: number): [string, readonly LogEvent[]] => [
    stream,
    (streams.get(stream) ?? []).slice(0, end),
  ];
  return new Map([
    of(CHAIN_STREAM, blocks),
    of(SAFETY_STREAM, records),
    of(CONSENSUS_STREAM, facts),
  ]);
}

const shown = ({ safety, streamEnd, tree, final }: State) => {
  const { highest: _, ...rest } = safety;
  const blocks = safety.undecided.map(({ block }) => [tree.has(block), tree.certificateOf(block)]);
  return { ...rest, streamEnd, blocks, size: tree.size, final };
};

test('recovery from a whole record and what follows it is recovery from all there ever was (I150)', (t) => {
  let compared = 0;
  for (const seed of [3, 4, 5]) {
    const { world, logs } = logsOf(seed);
    t.is(world.violation, null);
    for (const [node, streams] of logs) {
      const records = streams.get(SAFETY_STREAM) ?? [];
      const facts = streams.get(CONSENSUS_STREAM) ?? [];
      const blocks = streams.get(CHAIN_STREAM) ?? [];
      for (let at = 1; at <= records.length; at++) {
        const { from } = recovered(node, upTo(streams, 0, at, 0)).records;
        const next = recovered(node, upTo(streams, 0, at + 1, 0)).records.from;
        for (const end of [from, Math.floor((from + next) / 2), next]) {
          // The chain is written before what was recorded after its blocks became final.
          const open = recovered(node, upTo(streams, end, at, 0)).safety.undecided;
          const lowest = Math.min(...open.map(({ height }) => height), blocks.length + 1);
          const whole = recovered(node, upTo(streams, end, at, lowest - 1));
          const all = recovered(node, upTo(streams, end, 0, lowest - 1));
          t.deepEqual(shown(whole), shown(all), `seed ${seed}, record ${at}, ${end} facts`);
          t.true((whole.safety.highest?.height ?? 0) >= (all.safety.highest?.height ?? 0));
          compared++;
        }
      }
      t.true(facts.length > 10);
    }
  }
  t.true(compared > 100, `${compared} logs`);
});

test('of what whole records replace the last but one is kept, and as many facts as are to be (I151)', (t) => {
  const { logs } = logsOf(7);
  let pruned = 0;
  for (const [node, streams] of logs) {
    const last = (streams.get(SAFETY_STREAM) ?? []).length;
    if (node.log.pruned === 0) continue;
    pruned++;
    const before = recovered(node, upTo(streams, 0, last - 1, 0)).records.from;
    const { kept } = node.setup.records;
    const readable = (seq: number): boolean =>
      node.log.read(CONSENSUS_STREAM, seq, seq + 1, 1).length > 0;
    t.true(readable(Math.max(0, before - kept)), `from ${before} on`);
    t.false(readable(0));
    t.true(node.log.read(SAFETY_STREAM, last - 2, last, 1 << 20).length >= 1);
  }
  t.true(pruned > 0);
});
