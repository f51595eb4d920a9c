/**
 * Clients that never stop asking: each sends its transfers one after the other, every one until some
 * node answers with its receipt, and remembers what it was told.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { getJson, type Cluster } from '../../bench/cluster.ts';
import {
  fundings,
  newSeed,
  openings,
  transfers,
  workloadOf,
  type Workload,
} from '../../bench/workload.ts';

const MEDIA_TYPE = 'application/vnd.althing.submission';
const ATTEMPT_MS = 3_000;
const RETRY_MS = 50;
const CLIENTS = 4;
const ACCOUNTS_EACH = 2;
const OPENING_BALANCE = 1_000_000_000;

export interface Receipt {
  readonly id: string;
  readonly height: number;
  readonly index: number;
  readonly status: 'ok' | 'failed';
}

interface Answer {
  readonly receipts: readonly Receipt[];
}

export class Load {
  readonly receipts: Receipt[] = [];
  /** The longest that a client had to ask for one receipt, in milliseconds. */
  longestMs = 0;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  /** By account: what the receipts add up to. */
  readonly #balances = new Map<string, number>();
  #isOver = false;
  #clients: Promise<void>[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#workload = workloadOf(newSeed(cluster.clusterId, CLIENTS, CLIENTS * ACCOUNTS_EACH));
  }

  /** Opens and funds the accounts, then lets the clients go. */
  async start(): Promise<this> {
    const operator = this.#cluster.operator();
    for (const bytes of openings(this.#workload, ACCOUNTS_EACH)) await this.#submit(bytes, 0);
    for (const bytes of fundings(this.#workload, operator, CLIENTS * ACCOUNTS_EACH)) {
      await this.#submit(bytes, 0);
    }
    for (const { accounts } of this.#workload.clients) {
      for (const account of accounts) this.#balances.set(account, OPENING_BALANCE);
    }
    this.#clients = this.#workload.clients.map((_, client) => this.#run(client));
    return this;
  }

  /** Resolves once so many receipts more have come. */
  async more(receipts: number): Promise<void> {
    const wanted = this.receipts.length + receipts;
    while (this.receipts.length < wanted) await pause(10);
  }

  /** Lets every client finish what it asks for now. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** What each account must hold, by the receipts. */
  balances(): ReadonlyMap<string, number> {
    return this.#balances;
  }

  async #run(client: number): Promise<void> {
    const one = this.#workload.clients[client]!;
    const own: Workload = { ...this.#workload, clients: [one] };
    const [from = '', to = ''] = one.accounts;
    while (!this.#isOver) {
      for (const bytes of transfers(own, { first: 0, count: 1, perSubmission: 1 })) {
        this.receipts.push(...(await this.#submit(bytes, client)));
        // The first transfer of a submission is always one unit from the first to the second account.
        this.#balances.set(from, (this.#balances.get(from) ?? 0) - 1);
        this.#balances.set(to, (this.#balances.get(to) ?? 0) + 1);
      }
    }
  }

  /** Asks one node after the other until one answers. */
  async #submit(bytes: Uint8Array, first: number): Promise<readonly Receipt[]> {
    const since = performance.now();
    for (let attempt = 0; ; attempt++) {
      const receipts = await this.#ask(bytes, first + attempt);
      if (receipts !== null) {
        this.longestMs = Math.max(this.longestMs, performance.now() - since);
        return receipts;
      }
      await pause(RETRY_MS);
    }
  }

  async #ask(bytes: Uint8Array, node: number): Promise<readonly Receipt[] | null> {
    const url = this.#cluster.urls[node % this.#cluster.size] ?? '';
    const request = {
      method: 'POST',
      headers: { 'content-type': MEDIA_TYPE, accept: 'application/json' },
      body: bytes,
      signal: AbortSignal.timeout(ATTEMPT_MS),
    };
    try {
      const answer = await fetch(`${url}/api/v11/transactions`, request);
      const text = await answer.text();
      if (answer.status === 200) return (JSON.parse(text) as Answer).receipts;
      if (answer.status < 500 && answer.status !== 429) throw new Refused(answer.status, text);
      return null;
    } catch (error) {
      if (error instanceof Refused) throw error;
      return null; // not reachable, or silent: the next node is asked
    }
  }
}

/** A node said that a transaction will never be taken, which none may say of these. */
class Refused extends Error {
  constructor(status: number, body: string) {
    super(`${status} ${body}`);
  }
}

export interface Status {
  readonly currentLeader: string;
  readonly term: number;
  readonly state: string;
  readonly commitIndex: number;
  readonly executedHeight: number;
}

export function statusOf(cluster: Cluster, node: number): Promise<Status> {
  return getJson<Status>(`${cluster.urls[node]}/api/v11/consensus/status`);
}

export interface Led {
  readonly term: number;
  /** Its index. */
  readonly leader: number;
}

/** A term and who leads it, as this node sees it. */
export async function ledBy(cluster: Cluster, node: number): Promise<Led> {
  const { term, currentLeader } = await statusOf(cluster, node);
  const ids = Array.from({ length: cluster.size }, (_, at) => cluster.id(at));
  return { term, leader: ids.indexOf(currentLeader) };
}

/** Resolves once the node sees a later term, which somebody else leads: others may have failed between. */
export async function replaced(cluster: Cluster, node: number, before: Led): Promise<void> {
  for (;;) {
    const { term, leader } = await ledBy(cluster, node);
    if (term > before.term && leader !== before.leader) return;
    await pause(50);
  }
}

/** Resolves once the node has executed that height. */
export async function executedBy(cluster: Cluster, node: number, height: number): Promise<void> {
  while ((await statusOf(cluster, node)).executedHeight < height) await pause(50);
}
