/**
 * Clients that share keys, each with one request under way, through different doors; and one that only
 * glances at whatever each node has.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Door } from './doors.ts';
import { KeySpace } from './key-space.ts';
import type { Operation } from './order.ts';
import type { KeyOperation } from './register.ts';
import type { HistoryTally } from './tally.ts';

/** Between an answer and the next question: the load is to be light, and the history full of meetings. */
const PAUSE_MS_MAX = 120;

export class KeyClients {
  readonly operations: KeyOperation[] = [];
  /** Writes whose place in the chain is known. */
  readonly placed: Operation[] = [];
  readonly #space: KeySpace;
  readonly #random: Random;
  readonly #tally: HistoryTally;
  #isOver = false;
  #running: Promise<void>[] = [];

  constructor(random: Random, tally: HistoryTally) {
    this.#random = random;
    this.#space = new KeySpace(random.fork());
    this.#tally = tally;
  }

  get keys(): readonly string[] {
    return this.#space.names;
  }

  /** @param doors by the name of the client that uses it */
  start(doors: ReadonlyMap<string, Door>): void {
    this.#running = [...doors].map(([name, door]) => this.#run(name, door));
  }

  /** Lets every client finish what it asks for now. Throws what a client was told and cannot be. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  /** Rejects when a client cannot go on. */
  failed(): Promise<unknown> {
    return Promise.all(this.#running);
  }

  async #run(name: string, door: Door): Promise<void> {
    for (let at = 0; !this.#isOver; at++) {
      await this.#ask(`${name}/${at}`, door);
      await pause(this.#random.int(PAUSE_MS_MAX));
    }
  }

  async #ask(label: string, door: Door): Promise<void> {
    const next = this.#space.next();
    const { key, asked } = next;
    const askedAt = performance.now();
    const heard = await door(key, asked);
    const answeredAt = performance.now();
    if (heard.kind === 'told') {
      this.#tally.answered(askedAt, asked.kind !== 'get');
      if (heard.place !== undefined) {
        this.placed.push({ label, askedAt, answeredAt, ...heard.place });
      }
    } else this.#tally.notAnswered(heard.kind, heard.why);
    const told = heard.kind === 'told' ? heard.told : null;
    this.#space.note(next, told);
    if (heard.kind !== 'refused') {
      this.operations.push({ label, key, asked, askedAt, answeredAt, told });
    }
  }
}
