/**
 * Turns that are due in one thread. They run one after the other, so that a message passes through
 * several actors of a thread without a trip through the event loop; after SLICE turns the loop gets
 * its share, so that timers, sockets and acknowledgements are served. What crosses to other threads
 * leaves at the end of a slice, all of it in one message for each thread.
 */
const SLICE = 64;

export class RunQueue {
  #tasks: (() => void)[] = [];
  #closing: (() => void)[] = [];
  #scheduled = false;

  add(task: () => void): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  /** Runs `task` once, after the turns of the slice. */
  atEnd(task: () => void): void {
    this.#closing.push(task);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    for (let turns = 0; turns < SLICE && this.#tasks.length > 0; turns++) this.#tasks.shift()?.();
    const closing = this.#closing;
    this.#closing = [];
    for (const task of closing) task();
    this.#scheduled = false;
    if (this.#tasks.length > 0 || this.#closing.length > 0) this.#schedule();
  }
}
