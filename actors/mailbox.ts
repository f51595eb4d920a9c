/**
 * What waits for an actor, by class (policies.ts).
 *
 * I20. Inputs of one class keep their order; so does everything that one sender says in one class.
 * I21. While the outside is held, inputs of peers and clients stay where they are; all others pass,
 *      so that actors that wait for each other always come on.
 *
 * Timers come last in a turn: after a pause the messages that arrived meanwhile are heard before a
 * timer draws conclusions from their absence.
 */
import { policyOf, type InputClass } from './policies.ts';

/** Told once for each input, when the actor takes it: this is what returns credit. */
export interface Receipt {
  taken(): void;
}

interface Queue<Input> {
  inputs: Input[];
  receipts: (Receipt | undefined)[];
  head: number;
}

const ORDER: readonly InputClass[] = ['control', 'local', 'peer', 'client'];

export class Mailbox<Input extends { readonly kind: string }> {
  readonly #queues: Readonly<Record<InputClass, Queue<Input>>> = {
    control: newQueue(),
    local: newQueue(),
    peer: newQueue(),
    client: newQueue(),
    timer: newQueue(),
  };
  #length = 0;
  outsideHeld = false;

  get length(): number {
    return this.#length;
  }

  /** How many of the inputs `take` would give now. */
  get ready(): number {
    return this.outsideHeld ? this.inside : this.#length;
  }

  /** How many inputs came neither from peers nor from clients. */
  get inside(): number {
    return this.#length - lengthOf(this.#queues.peer) - lengthOf(this.#queues.client);
  }

  push(input: Input, receipt?: Receipt): void {
    const queue = this.#queues[policyOf(input.kind).class];
    queue.inputs.push(input);
    queue.receipts.push(receipt);
    this.#length++;
  }

  /** Up to `max` inputs in the order of their classes, and then all timers. */
  take(max: number): Input[] {
    const out: Input[] = [];
    for (const name of ORDER) {
      if (this.outsideHeld && (name === 'peer' || name === 'client')) continue;
      this.#move(this.#queues[name], max - out.length, out);
    }
    this.#move(this.#queues.timer, Number.MAX_SAFE_INTEGER, out);
    return out;
  }

  clear(): void {
    for (const queue of Object.values(this.#queues)) Object.assign(queue, newQueue());
    this.#length = 0;
  }

  #move(queue: Queue<Input>, max: number, out: Input[]): void {
    const end = Math.min(queue.inputs.length, queue.head + max);
    this.#length -= end - queue.head;
    for (; queue.head < end; queue.head++) {
      out.push(queue.inputs[queue.head] as Input);
      queue.receipts[queue.head]?.taken();
    }
    if (queue.head < queue.inputs.length) return compact(queue);
    if (queue.head > 0) Object.assign(queue, newQueue());
  }
}

function newQueue<Input>(): Queue<Input> {
  return { inputs: [], receipts: [], head: 0 };
}

function lengthOf(queue: Queue<unknown>): number {
  return queue.inputs.length - queue.head;
}

function compact(queue: Queue<unknown>): void {
  if (queue.head < 4096) return;
  queue.inputs.splice(0, queue.head);
  queue.receipts.splice(0, queue.head);
  queue.head = 0;
}
