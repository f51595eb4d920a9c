/**
 * Clients that read so that they miss nothing that anybody was told before (linearizable reads): they have
 * a node confirm a height, and read from no less than it. No height is confirmed below what was final when
 * the read began; that the rows are those of their height is for the history to see, also where the past is
 * read.
 */
import type { EdgeMessage } from '../../protocols/messages.ts';
import type { SimNode } from './node.ts';
import type { Questions } from './questions.ts';
import type { Random } from '../../bench/random.ts';
import type { World } from './world.ts';

/** After so long one that must be answered is asked again: a crash may have swallowed it. */
const AGAIN_MS = 2_000;
/** From what confirms a height to the read from it. */
const MEAN_DELAY_US = 100_000;
/** Now and then a height is asked for that is not there yet. */
const AHEAD = 2;

type Answer = Extract<EdgeMessage, { kind: 'answer' }>;

export class Readers {
  readonly #world: World;
  readonly #random: Random;
  readonly #questions: Questions;
  readonly #newRequest: () => number;
  readonly #open = new Map<number, (answer: Answer) => void>();
  /** Nodes that have to answer one more read. */
  readonly #owing = new Set<SimNode>();
  readonly coverage = { confirmed: 0, unconfirmed: 0, past: 0 };

  constructor(world: World, random: Random, questions: Questions, newRequest: () => number) {
    this.#world = world;
    this.#random = random;
    this.#questions = questions;
    this.#newRequest = newRequest;
  }

  start(): void {
    const { reads, faultsMs } = this.#world.profile;
    for (let read = 0; read < reads; read++) {
      this.#world.scheduler.after(this.#random.float() * faultsMs * 1000, () => {
        const node = this.#random.pick(this.#world.honest);
        this.#read(node);
        if (node.up) this.#readPast(node);
      });
    }
  }

  /** Once all is well again, every honest node must confirm a read. */
  probe(): void {
    if (this.#world.profile.reads === 0) return;
    for (const node of this.#world.honest) {
      this.#owing.add(node);
      this.#insist(node);
    }
  }

  isDone(): boolean {
    return this.#owing.size === 0;
  }

  /** False when the answer is not to a reader. */
  answered(answer: Answer): boolean {
    const take = this.#open.get(answer.request);
    if (take === undefined) return false;
    this.#open.delete(answer.request);
    take(answer);
    return true;
  }

  #insist(node: SimNode): void {
    if (!this.#owing.has(node)) return;
    this.#read(node);
    this.#world.scheduler.after(AGAIN_MS * 1000, () => this.#insist(node));
  }

  #read(node: SimNode): void {
    if (!node.up) return;
    const finalHeight = this.#world.checkers.order.highest;
    const request = this.#newRequest();
    this.#open.set(request, ({ height, result }) => {
      if (!result.ok) return void this.coverage.unconfirmed++;
      this.coverage.confirmed++;
      this.#owing.delete(node);
      if (height < finalHeight) {
        const detail = `height ${height} for a read that began when ${finalHeight} was final`;
        this.#report(`n${node.instance} confirms ${detail}`);
      }
      // Whatever stands between may take its time, and the node start again meanwhile.
      const delayUs = this.#random.exponential(MEAN_DELAY_US);
      this.#world.scheduler.after(delayUs, () => this.#readFrom(node, height));
    });
    node.deliver('transaction', { kind: 'confirm', request });
  }

  #readFrom(node: SimNode, notBelow: number): void {
    if (!node.up) return;
    this.#questions.askOne(node, { notBelow }, (height) => {
      if (height >= notBelow) return;
      this.#report(
        `n${node.instance} answers from height ${height} after it confirmed ${notBelow}`,
      );
    });
  }

  #readPast(node: SimNode): void {
    const atHeight = this.#random.int(this.#world.checkers.order.highest + AHEAD);
    this.#questions.askOne(node, { atHeight }, (height) => {
      this.coverage.past++;
      if (height === atHeight) return;
      this.#report(`n${node.instance} answers from height ${height}, asked for ${atHeight}`);
    });
  }

  #report(detail: string): void {
    this.#world.report('reads', detail);
  }
}
