/**
 * Turns that are due in one thread. They run one after the other right after the current callback,
 * so that a message passes through several actors of a thread without a trip through the event loop;
 * after SLICE turns the loop gets its share, so that timers, sockets and acknowledgements are served.
 */
const SLICE = 64;

export class RunQueue {
  #tasks: (() => void)[] = [];
  #scheduled = false;

  add(task: () => void): void {
    this.#tasks.push(task);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    for (let turns = 0; turns < SLICE && this.#tasks.length > 0; turns++) this.#tasks.shift()?.();
    this.#scheduled = this.#tasks.length > 0;
    if (this.#scheduled) setImmediate(() => this.#run());
  }
}
