/**
 * Clients that read so that they miss nothing that anybody was told before (linearizable reads): they have
 * a node confirm a height, and read from no less than it. Each answer is held to what was final when the read
 * began, and to what earlier reads saw.
 */
import type { AnswerResult, EdgeMessage } from '../../protocols/messages.ts';
import { paidBy } from './books.ts';
import type { SimNode } from './node.ts';
import type { Random } from './random.ts';
import type { Wish } from './submissions.ts';
import { sinkOf } from './workload.ts';
import type { World } from './world.ts';

/** After so long one that must be answered is asked again: a crash may have swallowed it. */
const AGAIN_MS = 2_000;

/** From what confirms a height to the read from it. */
const MEAN_DELAY_US = 100_000;

type Answer = Extract<EdgeMessage, { kind: 'answer' }>;

export class Readers {
  readonly #world: World;
  readonly #random: Random;
  readonly #wishes: readonly Wish[];
  readonly #newRequest: () => number;
  readonly #open = new Map<number, (answer: Answer) => void>();
  /** The most that any finished read saw in the account that the asker pays into. */
  readonly #seen = new Map<string, number>();
  /** Nodes that have to answer one more read. */
  readonly #owing = new Set<SimNode>();
  readonly coverage = { confirmed: 0, unconfirmed: 0 };

  constructor(world: World, random: Random, wishes: readonly Wish[], newRequest: () => number) {
    this.#world = world;
    this.#random = random;
    this.#wishes = wishes;
    this.#newRequest = newRequest;
  }

  start(): void {
    const { reads, faultsMs } = this.#world.profile;
    for (let read = 0; read < reads; read++) {
      this.#world.scheduler.after(this.#random.float() * faultsMs * 1000, () => {
        this.#read(this.#random.pick(this.#world.honest));
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
    if (!node.up || this.#wishes.length === 0) return;
    const { asker } = this.#random.pick(this.#wishes);
    const finalHeight = this.#world.checkers.order.highest;
    const told = paidBy(
      this.#wishes.filter((wish) => wish.told !== null),
      asker,
    );
    const least = Math.max(told, this.#seen.get(asker) ?? 0);
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
      this.#world.scheduler.after(delayUs, () => this.#query(node, asker, { height, least }));
    });
    node.deliver('transaction', { kind: 'confirm', request });
  }

  #query(node: SimNode, asker: string, from: { height: number; least: number }): void {
    const request = this.#newRequest();
    this.#open.set(request, ({ height, result }) => {
      if (result.ok && height < from.height) {
        const detail = `height ${height} after it confirmed ${from.height}`;
        return this.#report(`n${node.instance} answers from ${detail}`);
      }
      this.#check(node, asker, from.least, result);
    });
    const account = sinkOf(asker);
    const read = { module: 'ledger', query: 'account', args: { account } };
    node.deliver('transaction', { kind: 'query', request, ...read, notBelow: from.height });
  }

  #check(node: SimNode, asker: string, least: number, result: AnswerResult): void {
    if (!result.ok) {
      if (result.code !== 'catching_up') this.#report(`n${node.instance}: ${result.code}`);
      return;
    }
    const balance = Number((result.value as { readonly balance: string }).balance);
    const most = paidBy(this.#wishes, asker);
    if (balance < least || balance > most) {
      this.#report(
        `n${node.instance} reads ${balance} of what ${asker} paid, which was ${least} before the read ` +
          `began and is at most ${most}`,
      );
    }
    this.#seen.set(asker, Math.max(balance, this.#seen.get(asker) ?? 0));
  }

  #report(detail: string): void {
    this.#world.report('reads', detail);
  }
}
