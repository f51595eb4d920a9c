/**
 * A worker thread of the tests: the real ActorThread around scripted machines, which pass each
 * submission from transaction over replication to the edge, and a log in a file.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { ActorThread, type CrossingPort } from '../../actors/actor-thread.ts';
import type { ActorSpec, AnyMachine } from '../../actors/actor.ts';
import { crossingPort } from '../../actors/crossing-port.ts';
import type { Log } from '../../actors/host.ts';
import { InvariantViolation, type LogEvent } from '../../protocols/machine.ts';
import type { ActorName, ProtocolActor } from '../../protocols/messages.ts';
import { ZERO_DIGEST } from '../../protocols/types.ts';
import { SnapshotFiles } from '../../src/snapshots/snapshot-files.ts';
import { ScriptedMachine, type Step } from './machine.ts';
import { ORDERS, type TestInput } from './orders.ts';

class FileLog implements Log {
  readonly #path: string;
  readonly #gate: Int32Array;
  /** Answers nothing before the gate is open. */
  isStalled = false;

  constructor(path: string, gate: Int32Array) {
    this.#path = path;
    this.#gate = gate;
  }

  append(events: readonly LogEvent[], done: (error?: Error) => void): void {
    const lines = events.map(({ seq, kind }) => `${JSON.stringify({ seq, kind })}\n`);
    appendFileSync(this.#path, lines.join(''));
    if (!this.isStalled) return void setImmediate(done);
    const look = setInterval(() => {
      if (Atomics.load(this.#gate, 0) === 0) return;
      clearInterval(look);
      done();
    }, 5);
  }

  read(
    { from, to }: { from: number; to: number },
    done: (error: Error | null, events: readonly LogEvent[]) => void,
  ): void {
    setImmediate(done, null, this.#all().slice(from, Math.min(to, from + 1000)));
  }

  readLast(_: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    setImmediate(done, null, this.#all().at(-1) ?? null);
  }

  find(_: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    setImmediate(done, null, null);
  }

  prune(): void {
    throw new Error('this machine prunes nothing');
  }

  #all(): LogEvent[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, 'utf8').trimEnd().split('\n');
    const header = new Uint8Array(0);
    return lines.map((line) => ({ ...(JSON.parse(line) as LogEvent), stream: 'test', header }));
  }
}

function waitAtGate(gate: Int32Array): void {
  Atomics.wait(gate, 0, 0);
}

function transactionStep(gate: Int32Array, next: { seq: number }, log: FileLog): Step {
  return (input, out) => {
    if (input.kind !== 'submit') return;
    for (const { bytes, request } of input.submissions) {
      if (bytes[0] === ORDERS.stallTransaction) waitAtGate(gate);
      if (bytes[0] === ORDERS.stallLog) log.isStalled = true;
      if (bytes[0] === ORDERS.fail) throw new Error('told to fail');
      if (bytes[0] === ORDERS.diverge) throw new InvariantViolation('state_diverged', 'told to');
      out.events.push(eventOf(next.seq++));
      const message = { kind: 'sealBatch', payload: bytes, txCount: request } as const;
      out.effects.push({ kind: 'tell', to: 'replication', message });
    }
  };
}

function replicationStep(gate: Int32Array, next: { seq: number }): Step {
  return (input, out) => {
    if (input.kind === 'peerMessage') {
      out.effects.push({ kind: 'broadcast', message: input.message });
    }
    if (input.kind !== 'sealBatch') return;
    if (input.payload[0] === ORDERS.stallReplication) waitAtGate(gate);
    const seq = next.seq++;
    out.events.push(eventOf(seq));
    const place = { id: ZERO_DIGEST, height: 1, index: seq, txCount: 1 };
    const asked = { sender: '', via: '', calls: new Uint8Array(0) };
    const receipts = { ...place, ...asked, encoded: input.payload };
    const results = [{ request: input.txCount, ok: true, receipts }] as const;
    const message = { kind: 'submitted', results } as const;
    out.effects.push({ kind: 'tell', to: 'edge', message });
  };
}

/** Says back to the sender what consensus hears from a peer. */
const consensusStep: Step = (input, out) => {
  if (input.kind !== 'peerMessage') return;
  out.effects.push({ kind: 'send', to: input.from, message: input.message });
};

function eventOf(seq: number): LogEvent {
  return { stream: 'test', seq, kind: 'passed', header: new Uint8Array(0) };
}

/** A scripted machine that goes on counting where its log ends. */
function machineOf(actor: ProtocolActor, gate: Int32Array, log: FileLog): AnyMachine {
  const next = { seq: 0 };
  const step = {
    transaction: transactionStep(gate, next, log),
    replication: replicationStep(gate, next),
    consensus: consensusStep,
    voting: (() => {}) as Step,
  }[actor];
  const machine = new ScriptedMachine(step, [{ stream: 'test', from: 0, bodies: false }]);
  machine.recover = ({ seq }) => void (next.seq = seq + 1);
  return machine as unknown as AnyMachine;
}

function run({ actors, ports, thread, gate, folder }: TestInput, parent: MessagePort): void {
  const crossings = new Map<ActorName, CrossingPort>([['edge', crossingPort(parent)]]);
  for (const { actors: others, port } of ports) {
    const crossing = crossingPort(port);
    for (const other of others) crossings.set(other, crossing);
  }
  const specs = actors.map((name): ActorSpec => {
    const log = new FileLog(join(folder, name), gate);
    const snapshots = new SnapshotFiles(join(folder, `${name}-snapshots`));
    return { name, machine: machineOf(name, gate, log), log, snapshots };
  });
  const end = (): void => {
    for (const { port } of ports) port.close();
    parent.close();
  };
  new ActorThread({ name: thread, actors: specs, ports: crossings, onStopped: end }).begin();
}

if (parentPort !== null) run(workerData as TestInput, parentPort);
