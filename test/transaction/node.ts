/** One transaction machine, with everything that it says, and a log that keeps its events. */
import type { Cluster } from '../../protocols/genesis.ts';
import { CHAIN_STREAM, chainEntry, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import type { LogEvent, SnapshotFound } from '../../protocols/machine.ts';
import type { Effect, SubmitResult, TransactionInput } from '../../protocols/messages.ts';
import { TransactionMachine } from '../../protocols/transaction/transaction.ts';
import type { Block } from '../../protocols/types.ts';
import { packStructure } from '../../protocols/wire.ts';
import { crypto } from './crypto.ts';
import { clusterOf, finalBlock, nodes, signed, START_MS } from './fixture.ts';
import { defaultModules, put } from './modules.ts';

type Tell = Extract<Effect, { kind: 'tell' }>;

export class Node {
  readonly machine: TransactionMachine;
  readonly log: LogEvent[];
  readonly told: Tell['message'][] = [];
  readonly sealed: { payload: Uint8Array; txCount: number }[] = [];
  readonly results: SubmitResult[] = [];
  now = START_MS;
  /** Set and not fired yet: for when. */
  readonly timers = new Map<string, number>();
  /** Questions to the log wait for ever. */
  logIsSilent = false;
  height = 0;
  /** Batches of this node that are final. */
  #final = 0;
  readonly #own = new Set<Uint8Array>();
  readonly #disk: Disk | null;
  #executed = EXECUTED_NOTHING;

  /** With a disk it keeps snapshots there, whenever it may, and its final blocks in the log. */
  constructor(cluster: Cluster = clusterOf(), log: LogEvent[] = [], disk: Disk | null = null) {
    this.log = log;
    this.#disk = disk;
    const options = { cluster, self: 0, crypto, signer: nodes[0]!, modules: defaultModules };
    const snapshotWorkMin = disk === null ? Infinity : 1;
    this.machine = new TransactionMachine({ ...options, snapshotWorkMin });
    this.#recover();
    this.step({ kind: 'started' });
    const from = this.told.find(({ kind }) => kind === 'executeFrom');
    if (from?.kind === 'executeFrom') this.height = from.height;
  }

  #recover(): void {
    const { machine } = this;
    for (let read = machine.nextRecovery(); read !== null; read = machine.nextRecovery()) {
      // As its thread does, which looks at it whenever it likes.
      machine.status();
      if ('snapshotUpTo' in read) {
        for (const each of this.#disk?.read(read.snapshotUpTo) ?? []) machine.recoverSnapshot(each);
      } else {
        const last = this.events(read.stream).at(-1);
        if (last !== undefined) machine.recover(last);
      }
    }
  }

  step(input: TransactionInput): Tell['message'][] {
    const before = this.told.length;
    const out = this.machine.step(input, this.now);
    for (const event of [...out.events, ...out.deferred]) {
      const expected = this.events(event.stream).length;
      if (event.seq !== expected) throw new Error(`event ${event.seq} is out of place`);
      this.log.push(event);
    }
    for (const effect of [...out.immediate, ...out.effects]) this.#release(effect);
    return this.told.slice(before);
  }

  events(stream: string): LogEvent[] {
    return this.log.filter((event) => event.stream === stream);
  }

  #release(effect: Effect): void {
    if (effect.kind === 'setTimer') this.timers.set(effect.timer, effect.at);
    else if (effect.kind === 'keepSnapshot') {
      const { height } = effect;
      this.step({ kind: 'snapshotKept', height, error: this.#disk!.keep(effect) });
    } else if (effect.kind === 'readLog') {
      if (this.logIsSilent) return;
      const { tag, stream, from, to } = effect;
      this.step({ kind: 'logRead', tag, events: this.events(stream).slice(from, to) });
    } else if (effect.kind === 'findLog') {
      if (this.logIsSilent) return;
      const event = this.log.findLast(({ keys }) => keys?.includes(effect.key)) ?? null;
      this.step({ kind: 'logFound', tag: effect.tag, event });
    } else if (effect.kind === 'tell') {
      const { message } = effect;
      this.told.push(message);
      if (message.kind === 'checkpointExecuted') this.#executed = message.executed;
      if (message.kind === 'sealBatch') {
        this.sealed.push(message);
        this.#own.add(message.payload);
      }
      if (message.kind === 'submitted') this.results.push(...message.results);
    }
  }

  submit(request: number, bytes: Uint8Array): void {
    this.step({ kind: 'submit', submissions: [{ request, bytes }] });
  }

  /** As `submit`, waiting for no more than admission. */
  admit(request: number, bytes: Uint8Array): void {
    this.step({ kind: 'submit', submissions: [{ request, bytes, until: 'admitted' }] });
  }

  /** The next block holds these payloads, each in its lane. */
  execute(
    batches: readonly { lane: number; payload: Uint8Array }[] = [],
    timestamp?: number,
  ): Tell['message'][] {
    const final = finalBlock(++this.height, [], timestamp);
    const block = { ...final.block, executed: this.#executed };
    if (this.#disk !== null) this.log.push(chainEvent(block));
    const { digest } = final;
    const before = this.told.length;
    this.#final += batches.filter(({ payload }) => this.#own.has(payload)).length;
    this.step({ kind: 'execute', block, digest, batches, sealed: this.#final });
    this.fireTimers();
    return this.told.slice(before);
  }

  /** Until none is due. */
  fireTimers(): void {
    for (const [timer, at] of this.timers) if (at <= this.now) this.fire(timer);
  }

  /** If it is set. */
  fire(timer: string): void {
    if (this.timers.delete(timer)) this.step({ kind: 'timer', timer });
  }

  /** Everything sealed so far becomes final, one block for each batch. */
  settle(): void {
    for (const { payload } of this.sealed.splice(0)) this.execute([{ lane: 0, payload }]);
  }

  codes(): Record<number, string> {
    return Object.fromEntries(
      this.results.map((each) => [
        each.request,
        each.ok ? (each.receipts === null ? 'admitted' : 'ok') : each.code,
      ]),
    );
  }

  ask(input: TransactionInput & { kind: 'query' | 'findSubmission' | 'prove' }): unknown {
    const said = this.step(input).find(({ kind }) => kind === 'answer');
    this.fire('transaction/answer');
    return said?.kind === 'answer' ? said.result : undefined;
  }
}

function chainEvent(block: Block): LogEvent {
  const header = packStructure(chainEntry, { block, certificate: null });
  return { stream: CHAIN_STREAM, seq: block.height - 1, kind: 'final', header };
}

/** Where a node keeps its snapshots. */
export class Disk {
  readonly snapshots: { height: number; parts: Uint8Array[]; head: Uint8Array | null }[] = [];
  /** Why nothing can be written. */
  full: string | null = null;

  keep({ height, index, part, head }: Extract<Effect, { kind: 'keepSnapshot' }>): string | null {
    if (this.full !== null) return this.full;
    if (index === 0) this.snapshots.push({ height, parts: [], head: null });
    const open = this.snapshots.at(-1)!;
    if (open.height !== height || open.parts.length !== index) throw new Error('a part is missing');
    open.parts.push(part);
    open.head = head;
    return null;
  }

  /** Of those that are complete, ascending. */
  get heights(): number[] {
    return this.snapshots.filter(({ head }) => head !== null).map(({ height }) => height);
  }

  *read(upTo: number): Iterable<SnapshotFound> {
    const found = this.snapshots.findLast((each) => each.head !== null && each.height <= upTo);
    for (const bytes of found?.parts ?? []) yield { kind: 'part', bytes };
    if (found === undefined) yield { kind: 'none' };
    else yield { kind: 'end', height: found.height, head: found.head! };
  }
}

export const sub = (seq: number, value = seq): Uint8Array => signed(seq, [put(`k${seq}`, value)]);
