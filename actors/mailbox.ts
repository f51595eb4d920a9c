/**
 * What waits for an actor, by class (policies.ts).
 *
 * I20. Inputs of one class keep their order, those of peers for each peer: peers are taken in turns,
 *      none more than PER_PEER_MAX times in one `take`. Who floods an actor delays only itself.
 * I21. While the outside is held, inputs of peers and clients stay where they are; all others pass,
 *      so that actors that wait for each other always come on.
 *
 * Timers come last in a turn: after a pause the messages that arrived meanwhile are heard before a
 * timer draws conclusions from their absence.
 */
import type { ValidatorIndex } from '../protocols/types.ts';
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

/** Inputs of one peer in one turn: a turn is over soon, however much of it is one peer's. */
const PER_PEER_MAX = 128;

export class Mailbox<Input extends { readonly kind: string; readonly from?: ValidatorIndex }> {
  readonly #queues: Readonly<Record<Exclude<InputClass, 'peer'>, Queue<Input>>> = {
    control: newQueue(),
    local: newQueue(),
    client: newQueue(),
    timer: newQueue(),
  };
  /** By peer. */
  readonly #peers = new Map<ValidatorIndex, Queue<Input>>();
  #ofPeers = 0;
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
    return this.#length - this.#ofPeers - lengthOf(this.#queues.client);
  }

  push(input: Input, receipt?: Receipt): void {
    const queue = this.#queueOf(input);
    queue.inputs.push(input);
    queue.receipts.push(receipt);
    this.#length++;
  }

  /** Up to `max` inputs in the order of their classes, and then all timers. */
  take(max: number): Input[] {
    const { control, local, client, timer } = this.#queues;
    const out: Input[] = [];
    this.#move(control, max, out);
    this.#move(local, max - out.length, out);
    if (!this.outsideHeld) {
      this.#movePeers(max - out.length, out);
      this.#move(client, max - out.length, out);
    }
    this.#move(timer, Number.MAX_SAFE_INTEGER, out);
    return out;
  }

  clear(): void {
    for (const queue of Object.values(this.#queues)) Object.assign(queue, newQueue());
    this.#peers.clear();
    this.#ofPeers = 0;
    this.#length = 0;
  }

  #queueOf({ kind, from = -1 }: Input): Queue<Input> {
    const { class: inputClass } = policyOf(kind);
    if (inputClass !== 'peer') return this.#queues[inputClass];
    this.#ofPeers++;
    const known = this.#peers.get(from);
    if (known !== undefined) return known;
    const queue = newQueue<Input>();
    this.#peers.set(from, queue);
    return queue;
  }

  /** One of each peer in turn. The map is the ring: who had a turn goes to its end. */
  #movePeers(max: number, out: Input[]): void {
    const before = out.length;
    let parts = 0;
    for (const queue of this.#peers.values()) parts += Math.min(PER_PEER_MAX, lengthOf(queue));
    const end = before + Math.min(max, parts);
    for (const [peer, queue] of this.#peers) {
      if (out.length === end) break;
      this.#move(queue, 1, out);
      this.#peers.delete(peer);
      if (lengthOf(queue) > 0) this.#peers.set(peer, queue);
    }
    this.#ofPeers -= out.length - before;
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
