/** Progress and sums over many outcomes, for people. */
import type { Outcome } from './world.ts';

const PROGRESS_MS = 2_000;

export class Tally {
  readonly #seeds: number;
  readonly #startedAt = performance.now();
  readonly #runsWith = new Map<string, number>();
  #shownAt = performance.now();
  #done = 0;
  #steps = 0;
  #virtualMs = 0;
  #heights = 0;

  constructor(seeds: number) {
    this.#seeds = seeds;
  }

  add(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      this.#done++;
      this.#steps += outcome.steps;
      this.#virtualMs += outcome.virtualMs;
      this.#heights += outcome.finalHeight;
      for (const [name, count] of Object.entries(outcome.coverage)) {
        if (count > 0) this.#runsWith.set(name, (this.#runsWith.get(name) ?? 0) + 1);
      }
    }
    if (performance.now() - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = performance.now();
    console.error(this.#line());
  }

  summary(): string {
    const runs = [...this.#runsWith].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const coverage = runs.map(([name, count]) => `${name} ${count}`).join(', ');
    return `${this.#line()}\nruns with at least one of: ${coverage}`;
  }

  #line(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const per = (total: number): string => (total / Math.max(1, this.#done)).toFixed(1);
    return (
      `${this.#done}/${this.#seeds} seeds in ${seconds.toFixed(1)} s, ` +
      `${Math.round(this.#steps / seconds)} steps/s, per seed: ${per(seconds * 1000)} ms, ` +
      `${per(this.#steps)} steps, ${per(this.#virtualMs / 1000)} virtual s, height ${per(this.#heights)}`
    );
  }
}
