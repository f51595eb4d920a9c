/** A machine whose every answer the test decides, and what it takes to run it in a shell. */
import type { Host, KeptSnapshot, SnapshotPart } from '../../actors/host.ts';
import {
  newOutput,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
  type SnapshotFound,
} from '../../protocols/machine.ts';
import type { CommonInput, Effect, LocalMessage } from '../../protocols/messages.ts';

export type Input = CommonInput | LocalMessage;
export type Step = (input: Input, out: Output<Effect>) => void;

export class ScriptedMachine implements Machine<Input, Effect, { readonly steps: number }> {
  readonly steps: Input[] = [];
  readonly recovered: LogEvent[] = [];
  readonly found: SnapshotFound[] = [];
  readonly #step: Step;
  readonly #reads: RecoveryRead[];

  constructor(step: Step, reads: readonly RecoveryRead[] = []) {
    this.#step = step;
    this.#reads = [...reads];
  }

  step(input: Input): Output<Effect> {
    this.steps.push(input);
    const out = newOutput<Effect>();
    this.#step(input, out);
    return out;
  }

  nextRecovery(): RecoveryRead | null {
    return this.#reads.shift() ?? null;
  }

  recover(event: LogEvent): void {
    this.recovered.push(event);
  }

  recoverSnapshot(found: SnapshotFound): void {
    this.found.push(found);
  }

  status(): { readonly steps: number } {
    return { steps: this.steps.length };
  }
}

export function eventAt(seq: number, text = ''): LogEvent {
  return { stream: 'test', seq, kind: 'test', header: new TextEncoder().encode(text) };
}

/** A host on which nothing happens by itself: turns, appends and reads go on when the test says so. */
export class ManualHost implements Host {
  readonly told: string[] = [];
  readonly appends: { readonly events: readonly LogEvent[]; readonly done: (e?: Error) => void }[] =
    [];
  readonly failures: Error[] = [];
  readonly timers = new Map<string, number>();
  readonly stored: LogEvent[] = [];
  readonly snapshots: (KeptSnapshot & { readonly parts: readonly Uint8Array[] })[] = [];
  /** Callbacks of parts that are on their way. */
  readonly kept: ((error?: Error) => void)[] = [];
  clock = 1_000;
  readError: Error | null = null;
  #turns: (() => void)[] = [];

  /** Runs turns until none is due. */
  runTurns(): void {
    for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) turn();
  }

  /** Answers the oldest append. */
  answer(error?: Error): void {
    this.appends.shift()?.done(error);
  }

  now(): number {
    return this.clock;
  }

  soon(task: () => void): void {
    this.#turns.push(task);
  }

  setTimer(timer: string, at: number): void {
    this.timers.set(timer, at);
  }

  clearTimer(timer: string): void {
    this.timers.delete(timer);
  }

  append(events: readonly LogEvent[], done: (error?: Error) => void): void {
    this.appends.push({ events, done });
  }

  read(
    { from, to }: { stream: string; from: number; to: number },
    done: (error: Error | null, events: readonly LogEvent[]) => void,
  ): void {
    done(this.readError, this.stored.slice(from, Math.min(to, from + 2)));
  }

  readLast(_: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    done(this.readError, this.stored.at(-1) ?? null);
  }

  find(key: string, done: (error: Error | null, event: LogEvent | null) => void): void {
    done(null, this.stored.find((event) => event.keys?.includes(key)) ?? null);
  }

  prune(stream: string, seq: number): void {
    this.told.push(`prune:${stream}/${seq}`);
  }

  keepSnapshot({ height, index }: SnapshotPart, done: (error?: Error) => void): void {
    this.told.push(`snapshot:${height}/${index}`);
    this.kept.push(done);
  }

  readSnapshot(
    upTo: number,
    part: (bytes: Uint8Array) => void,
    done: (error: Error | null, found: KeptSnapshot | null) => void,
  ): void {
    const found = this.snapshots.findLast(({ height }) => height <= upTo) ?? null;
    for (const bytes of found?.parts ?? []) part(bytes);
    done(this.readError, found);
  }

  tell(to: string, message: LocalMessage): void {
    this.told.push(`${to}:${message.kind}`);
  }

  send(to: number, message: { readonly kind: string }): void {
    this.told.push(`peer ${to}:${message.kind}`);
  }

  broadcast(message: { readonly kind: string }): void {
    this.told.push(`all:${message.kind}`);
  }

  peerFault(peer: number, code: string): void {
    this.told.push(`fault ${peer}:${code}`);
  }

  failed(error: Error): void {
    this.failures.push(error);
  }
}
