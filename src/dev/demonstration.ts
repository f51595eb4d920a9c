/**
 * The demonstration load: accounts are opened and funded, then signed transfers go in through all
 * four HTTP ports at a steady pace, and in the end all nodes must tell the same story.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import { loadSigner } from '../crypto/signer.ts';
import { clusterFiles } from '../init/layout.ts';
import { awaitHeight, commonBlock, totalOf } from './agreement.ts';
import { demoAccounts, type DemoAccount } from './demo-accounts.ts';
import { DemoClient, submit, type Answer } from './demo-client.ts';
import { LaunchFailure, messageOf } from './failure.ts';
import type { ClusterPlan } from './plan.ts';

const ROUNDS = 50;
const ROUND_MS = 100;
const TRANSFERS_PER_SUBMISSION = 10;
const FUNDS = 10_000;

export interface DemonstrationResult {
  readonly transfers: number;
  readonly seconds: number;
  /** From a client's bytes to its receipts, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly height: number;
  /** Of the block at `height`, the same on all nodes. */
  readonly digest: string;
  /** Sum of the demonstration accounts' balances, the same on all nodes and as before the load. */
  readonly total: bigint;
}

interface Sent {
  readonly answer: Answer;
  readonly latencyMs: number;
}

/** Throws LaunchFailure when anything is not as it must be. */
export async function demonstrate(
  plan: ClusterPlan,
  clusterId: Digest,
  stop: AbortSignal,
  say: (message: string) => void,
): Promise<DemonstrationResult> {
  const demonstration = new Demonstration(plan, clusterId, stop);
  try {
    say('demonstration: opening and funding accounts');
    await demonstration.fund();
    say('demonstration: signed transfers through all four HTTP ports');
    await demonstration.load();
    return await demonstration.check();
  } catch (error) {
    throw new LaunchFailure(`The demonstration failed: ${messageOf(error)}`, 1, { cause: error });
  }
}

class Demonstration {
  readonly #plan: ClusterPlan;
  readonly #clusterId: Digest;
  readonly #stop: AbortSignal;
  readonly #accounts: readonly DemoAccount[];
  #height = 0;
  #total = 0n;
  #sent: readonly Sent[] = [];
  #seconds = 0;

  constructor(plan: ClusterPlan, clusterId: Digest, stop: AbortSignal) {
    this.#plan = plan;
    this.#clusterId = clusterId;
    this.#stop = stop;
    this.#accounts = demoAccounts(plan.dataDir);
  }

  get #names(): readonly string[] {
    return this.#accounts.map(({ name }) => name);
  }

  /** Accounts that an earlier start opened stay open; each gets funds again. */
  async fund(): Promise<void> {
    const operator = new DemoClient(
      this.#clusterId,
      loadSigner(clusterFiles(this.#plan.dataDir).operator),
    );
    const open = this.#accounts.map(({ name, signer }) =>
      call('open', { account: name, owner: `key:${signer.publicKey}` }),
    );
    const issue = this.#names.map((account) => call('issue', { account, amount: FUNDS }));
    await this.#submit(0, operator.sign(open));
    expectOk(await this.#submit(0, operator.sign(issue)));
    this.#total = await this.#totalEverywhere();
  }

  /** Open loop: a slow answer delays no later submission. The first that fails ends all. */
  async load(): Promise<void> {
    const clients = this.#accounts.map(({ signer }) => new DemoClient(this.#clusterId, signer));
    const over = new AbortController();
    const stop = AbortSignal.any([this.#stop, over.signal]);
    // Every submission that waits or is under way listens to it.
    setMaxListeners(0, stop);
    const submitLater = async (index: number): Promise<Sent> => {
      const round = Math.floor(index / this.#plan.nodes.length);
      await pause(round * ROUND_MS, undefined, { signal: stop });
      const from = index % clients.length;
      const bytes = clients[from]!.sign(this.#transfers(from));
      return this.#timed(index % this.#plan.nodes.length, bytes, stop);
    };
    const startedAt = performance.now();
    const count = ROUNDS * this.#plan.nodes.length;
    try {
      this.#sent = await Promise.all(Array.from({ length: count }, (_, at) => submitLater(at)));
    } finally {
      over.abort();
    }
    this.#seconds = (performance.now() - startedAt) / 1000;
  }

  async check(): Promise<DemonstrationResult> {
    const total = await this.#totalEverywhere();
    if (total !== this.#total) {
      throw new Error(`the balances added up to ${this.#total} before the load, now to ${total}`);
    }
    const latencies = this.#sent.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
    return {
      transfers: this.#sent.reduce((sum, { answer }) => sum + answer.receipts.length, 0),
      seconds: this.#seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      height: this.#height,
      digest: await commonBlock(this.#plan.nodes, this.#height),
      total,
    };
  }

  #transfers(from: number): readonly Call[] {
    const names = this.#names;
    return Array.from({ length: TRANSFERS_PER_SUBMISSION }, (_, index) => {
      const to = (from + 1 + (index % (names.length - 1))) % names.length;
      return call('transfer', { from: names[from] ?? '', to: names[to] ?? '', amount: 1 });
    });
  }

  async #timed(at: number, bytes: Uint8Array, stop: AbortSignal): Promise<Sent> {
    const startedAt = performance.now();
    const answer = await this.#submit(at, bytes, stop);
    expectOk(answer);
    return { answer, latencyMs: performance.now() - startedAt };
  }

  async #submit(at: number, bytes: Uint8Array, stop = this.#stop): Promise<Answer> {
    const answer = await submit(this.#plan.nodes[at]?.url ?? '', bytes, stop);
    this.#height = Math.max(this.#height, answer.height);
    return answer;
  }

  /** Throws when the nodes' sums differ. */
  async #totalEverywhere(): Promise<bigint> {
    const { nodes } = this.#plan;
    await awaitHeight(nodes, this.#height, this.#stop);
    const totals = await Promise.all(nodes.map((node) => totalOf(node, this.#names)));
    const [total = 0n] = totals;
    if (totals.every((other) => other === total)) return total;
    throw new Error(`balances differ between nodes: ${totals.join(', ')}`);
  }
}

function call(command: string, args: Readonly<Record<string, string | number>>): Call {
  return { module: 'ledger', command, args };
}

function expectOk({ receipts, height }: Answer): void {
  const failed = receipts.find(({ status }) => status !== 'ok');
  if (failed === undefined) return;
  throw new Error(`a transaction failed at height ${height}: ${failed.error?.message ?? '?'}`);
}
