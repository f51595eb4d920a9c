/**
 * Virtual time: a heap of tasks ordered by (time, order of scheduling). Time is in whole
 * microseconds and moves only from one task to the next.
 */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Scheduler {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now = 0;
  /** Tasks run so far. */
  steps = 0;

  /** Microseconds since the start of the run. */
  get now(): number {
    return this.#now;
  }

  get waiting(): number {
    return this.#heap.length;
  }

  after(delayUs: number, task: () => void): void {
    this.at(this.#now + Math.max(0, delayUs), task);
  }

  at(timeUs: number, task: () => void): void {
    const entry = { at: Math.max(this.#now, Math.floor(timeUs)), order: this.#order++, task };
    const heap = this.#heap;
    let child = heap.push(entry) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = entry;
  }

  /** Runs tasks until `untilUs`, until nothing waits, or until `stop` says so after a task. */
  run(untilUs: number, stop: () => boolean): void {
    for (let top = this.#heap[0]; top !== undefined && top.at <= untilUs; top = this.#heap[0]) {
      this.#removeTop();
      this.#now = top.at;
      this.steps++;
      top.task();
      if (stop()) return;
    }
    this.#now = Math.max(this.#now, untilUs);
  }

  #removeTop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let parent = 0;
    for (let child = 1; child < heap.length; child = 2 * parent + 1) {
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, last)) break;
      heap[parent] = heap[child] as Entry;
      parent = child;
    }
    heap[parent] = last;
  }
}
