/**
 * Gives work a turn of the event loop. A binding may hand over thousands of requests in one turn, as
 * many as a client wrote into one connection, and one alone may take long, as a body of many values
 * does to read: whatever else the node does would wait for all of them.
 *
 * H6. In one turn of the loop at most `tasksMax` tasks start, and none once those before it have taken
 *     `msMax`: one starts in any case, and what it takes beyond that is time without tasks after it.
 *     All others start in the next turns, in the order in which they came.
 */
export interface TurnLimits {
  readonly tasksMax: number;
  readonly msMax: number;
}

const LIMITS: TurnLimits = { tasksMax: 32, msMax: 5 };

export interface TurnClock {
  /** Monotonic, in milliseconds. */
  now(): number;
  after(ms: number, run: () => void): void;
}

const CLOCK: TurnClock = {
  now: () => performance.now(),
  after: (ms, run) => void (ms < 1 ? setImmediate(run) : setTimeout(run, ms)),
};

export class Turns {
  readonly #limits: TurnLimits;
  readonly #clock: TurnClock;
  readonly #waiting: (() => void)[] = [];
  /** In this turn. */
  #started = 0;
  #spentMs = 0;
  #scheduled = false;

  constructor(limits = LIMITS, clock = CLOCK) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Starts `task` at once, or in a later turn when this one has had its share. */
  soon(task: () => void): void {
    if (!this.#hasTime() || this.#waiting.length > 0) return this.later(task);
    this.#schedule();
    this.#start(task);
  }

  /** Starts `task` when this turn's input has been read, at the earliest. */
  later(task: () => void): void {
    this.#waiting.push(task);
    this.#schedule();
  }

  #hasTime(): boolean {
    const { tasksMax, msMax } = this.#limits;
    return this.#started === 0 || (this.#started < tasksMax && this.#spentMs < msMax);
  }

  #start(task: () => void): void {
    this.#started++;
    const startedMs = this.#clock.now();
    task();
    this.#spentMs += this.#clock.now() - startedMs;
  }

  #schedule(restMs = 0): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(restMs, () => this.#next());
  }

  #next(): void {
    this.#scheduled = false;
    this.#started = 0;
    this.#spentMs = 0;
    // Tasks may bring others: those come after this turn.
    const due = this.#waiting.length;
    if (due === 0) return;
    this.#scheduled = true;
    while (this.#started < due && this.#hasTime()) this.#start(this.#waiting[this.#started]!);
    this.#waiting.splice(0, this.#started);
    this.#scheduled = false;
    this.#schedule(Math.max(0, this.#spentMs - this.#limits.msMax));
  }
}
