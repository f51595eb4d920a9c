/**
 * Gives work a turn of the event loop. A binding may hand over thousands of requests in one turn, as
 * many as a client wrote into one connection: whatever else the node does would wait for all of them.
 *
 * H6. At most `perTurnMax` tasks start in one turn of the loop; all others start in the next turns,
 *     in the order in which they came.
 */
const PER_TURN_MAX = 32;

export class Turns {
  readonly #perTurnMax: number;
  #left: number;
  #waiting: (() => void)[] = [];
  #scheduled = false;

  constructor(perTurnMax = PER_TURN_MAX) {
    this.#perTurnMax = perTurnMax;
    this.#left = perTurnMax;
  }

  /** Starts `task` at once, or in a later turn when this one has had its share. */
  soon(task: () => void): void {
    if (this.#left === 0 || this.#waiting.length > 0) return this.later(task);
    this.#left--;
    this.#schedule();
    task();
  }

  /** Starts `task` when this turn's input has been read, at the earliest. */
  later(task: () => void): void {
    this.#waiting.push(task);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#scheduled = false;
    const tasks = this.#waiting.splice(0, this.#perTurnMax);
    this.#left = this.#perTurnMax - tasks.length;
    if (tasks.length > 0) this.#schedule();
    for (const task of tasks) task();
  }
}
