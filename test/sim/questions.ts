/**
 * Clients that read: what a node says of its executed state goes into the history, with the height that
 * the node says it stands for. When all is over every honest node is asked about everything.
 */
import type { AnswerResult, EdgeMessage } from '../../protocols/messages.ts';
import type { StateRead } from '../../protocols/state-read.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { LEASED } from './history/kv-model.ts';
import type { Args } from './history/model.ts';
import type { SimNode } from './node.ts';
import type { Random } from '../../bench/random.ts';
import { KEYS } from './requests/kv-requests.ts';
import { ASSET, treasuryOf } from './requests/module-requests.ts';
import type { World } from './world.ts';

interface Question {
  readonly module: string;
  readonly query: string;
  readonly args: Args;
}

const ask = (module: string, query: string, args: Args = {}): Question => ({ module, query, args });

type How = Pick<StateRead, 'notBelow' | 'atHeight'>;
/** Of a height that the node does not have. */
const OUTSIDE: ReadonlySet<string> = new Set(['height_ahead', 'height_pruned']);

export class Questions {
  readonly #world: World;
  readonly #random: Random;
  readonly #newRequest: () => number;
  readonly #open = new Map<number, (height: number, result: AnswerResult) => void>();

  constructor(world: World, random: Random, newRequest: () => number) {
    this.#world = world;
    this.#random = random;
    this.#newRequest = newRequest;
  }

  start(): void {
    const { questions, faultsMs } = this.#world.profile;
    for (let question = 0; question < questions; question++) {
      this.#world.scheduler.after(this.#random.float() * faultsMs * 1000, () => {
        const node = this.#random.pick(this.#world.honest);
        if (node.up) this.#ask(node, this.#question());
      });
    }
  }

  /** About something, and how; `then` hears the height of an answer that is one. */
  askOne(node: SimNode, how: How, then?: (height: number) => void): void {
    this.#ask(node, this.#question(), how, then);
  }

  /** About all that there is. */
  askAll(node: SimNode): void {
    const { notebook } = this.#world.clients;
    const modelled = [
      ask('kv', 'list', { namespace: LEASED }),
      ask('kv', 'namespace', { namespace: 'own' }),
      ask('kv', 'leases'),
      ask('clockwork', 'count'),
      ask('bridge', 'supply', { asset: ASSET }),
      ...[...notebook.rounds.keys()].map((round) => ask('voting', 'round', { round })),
      ...[...notebook.locked.keys()].map((transfer) => ask('bridge', 'transfer', { transfer })),
      ...this.#world.accounts.map((account) => ask('ledger', 'account', { account })),
    ];
    const books = [ask('ledger', 'accounts', { limit: 1000 }), ask('ledger', 'supply')];
    for (const question of [...modelled, ...books]) this.#ask(node, question);
  }

  isDone(): boolean {
    return this.#open.size === 0;
  }

  /** What was asked and not answered is not waited for. */
  forget(): void {
    this.#open.clear();
  }

  /** False when the answer is to somebody else. */
  answered({ request, height, result }: Extract<EdgeMessage, { kind: 'answer' }>): boolean {
    const take = this.#open.get(request);
    this.#open.delete(request);
    take?.(height, result);
    return take !== undefined;
  }

  #question(): Question {
    const random = this.#random;
    const { rounds, locked } = this.#world.clients.notebook;
    switch (random.int(8)) {
      case 0:
      case 1:
        return ask('kv', 'get', { namespace: LEASED, key: random.pick(KEYS) });
      case 2:
        return ask('kv', 'list', { namespace: LEASED });
      case 3:
        return ask('kv', 'leases');
      case 4:
        return ask('ledger', 'account', {
          account: random.chance(0.3) ? treasuryOf(1) : random.pick(this.#world.accounts),
        });
      case 5:
        return ask('voting', 'round', { round: random.pick([...rounds.keys(), 'r0']) });
      case 6:
        return locked.size === 0
          ? ask('bridge', 'supply', { asset: ASSET })
          : ask('bridge', 'transfer', { transfer: random.pick([...locked.keys()]) });
      default:
        return ask('clockwork', 'count');
    }
  }

  #ask(node: SimNode, question: Question, how: How = {}, then?: (height: number) => void): void {
    const request = this.#newRequest();
    const life = `n${node.instance}.${node.incarnation}`;
    // What is read of the past says nothing of how far the node is.
    const reader = how.atHeight === undefined ? life : `${life} of the past, ${request}`;
    this.#open.set(request, (height, result) => {
      if (how.atHeight !== undefined && !result.ok && OUTSIDE.has(result.code)) return;
      const outcome = result.ok
        ? ({ ok: true, result: result.value as Value } as const)
        : ({ ok: false, code: result.code } as const);
      if (result.ok) then?.(height);
      this.#world.history.read({ ...question, reader, height, outcome });
    });
    node.deliver('transaction', { kind: 'query', request, ...question, ...how });
  }
}
