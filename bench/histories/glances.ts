/**
 * Reads of whatever a node has executed, all the while: they may be behind, and never wrong. What a
 * revision gave a key is the same at every node, the height of a node's answers does not fall while it
 * lives, and accounts add up to what was issued at every height.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from '../cluster.ts';
import type { Random } from '../random.ts';
import { NAMESPACE } from './doors.ts';

const PAUSE_MS_MAX = 200;
const ATTEMPT_MS = 2_000;

interface Entry {
  readonly key: string;
  readonly value: number;
  readonly modRevision: number;
}

interface Account {
  readonly account: string;
  readonly balance: string;
}

export interface GlancesOptions {
  readonly cluster: Pick<Cluster, 'urls'>;
  readonly random: Random;
  /** How often the node was started: heights may fall from one life to the next. */
  readonly lifeOf: (node: number) => number;
  /** Those that clients write now. */
  readonly keys: () => readonly string[];
  readonly accounts: readonly string[];
  /** What all of them hold together. */
  readonly issued: number;
}

export class Glances {
  readonly violations: string[] = [];
  count = 0;
  readonly #options: GlancesOptions;
  /** What a revision gave, whoever said so first. */
  readonly #given = new Map<number, string>();
  /** By node and life: the newest height that it answered from. */
  readonly #heights = new Map<string, number>();
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: GlancesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = Promise.all(this.#options.cluster.urls.map((_, node) => this.#run(node)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** One question after the other, so that the answers of a node have an order. */
  async #run(node: number): Promise<void> {
    const random = this.#options.random.fork();
    while (!this.#isOver) {
      await this.#glance(node, random.chance(0.3)).catch(() => {
        // Down, or too slow: a glance is not worth a second one.
      });
      await pause(random.int(PAUSE_MS_MAX));
    }
  }

  async #glance(node: number, isOfMoney: boolean): Promise<void> {
    const { cluster, lifeOf, keys, random } = this.#options;
    const life = lifeOf(node);
    const path = isOfMoney ? 'ledger/accounts' : `kv/${NAMESPACE}/${random.pick(keys())}`;
    const answer = await fetch(`${cluster.urls[node]}/api/v11/${path}`, {
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    if (!answer.ok || lifeOf(node) !== life) return void (await answer.text());
    const said = (await answer.json()) as Entry | { readonly accounts: readonly Account[] };
    this.count++;
    const height = Number(answer.headers.get('x-althing-height'));
    this.sawHeight(`node ${node} in life ${life}`, height);
    if ('accounts' in said) this.sawAccounts(node, height, said.accounts);
    else this.sawEntry(node, said);
  }

  sawHeight(who: string, height: number): void {
    const before = this.#heights.get(who) ?? 0;
    if (height < before) this.violations.push(`${who} answers from ${height} after ${before}`);
    this.#heights.set(who, Math.max(before, height));
  }

  sawEntry(node: number, { key, value, modRevision }: Entry): void {
    const now = `${key} = ${value}`;
    const before = this.#given.get(modRevision) ?? now;
    this.#given.set(modRevision, before);
    if (now === before) return;
    this.violations.push(`node ${node} has ${now} of revision ${modRevision}, which is ${before}`);
  }

  sawAccounts(node: number, height: number, all: readonly Account[]): void {
    const { accounts, issued } = this.#options;
    const ours = all.filter(({ account }) => accounts.includes(account));
    const held = ours.reduce((sum, { balance }) => sum + Number(balance), 0);
    if (ours.length === 0 || (ours.length === accounts.length && held === issued)) return;
    this.violations.push(`node ${node} at ${height}: accounts hold ${held} instead of ${issued}`);
  }
}
