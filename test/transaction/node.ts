/** One transaction machine, with everything that it says, and a log that keeps its events. */
import type { Cluster } from '../../protocols/genesis.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { Effect, SubmitResult, TransactionInput } from '../../protocols/messages.ts';
import { TransactionMachine } from '../../protocols/transaction/transaction.ts';
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

  constructor(cluster: Cluster = clusterOf(), log: LogEvent[] = []) {
    this.log = log;
    const options = { cluster, self: 0, crypto, signer: nodes[0]!, modules: defaultModules };
    this.machine = new TransactionMachine(options);
    for (
      let read = this.machine.nextRecovery();
      read !== null;
      read = this.machine.nextRecovery()
    ) {
      const { stream } = read;
      const last = log.findLast((event) => event.stream === stream);
      if (last !== undefined) this.machine.recover(last);
    }
    this.step({ kind: 'started' });
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
    else if (effect.kind === 'readLog') {
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
    const { block, digest } = finalBlock(++this.height, [], timestamp);
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

export const sub = (seq: number, value = seq): Uint8Array => signed(seq, [put(`k${seq}`, value)]);
