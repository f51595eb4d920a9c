/**
 * Clients that share keys and rounds, one request after the other, each until some node answers; and what
 * must hold of all that they were told (docs/simulator.md, "Histories").
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getJson, type Cluster } from '../../bench/cluster.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { Genesis } from '../../protocols/genesis.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import { difference, textOf, type Outcome } from '../sim/history/model.ts';
import { outOfOrder, type Operation } from '../../bench/histories/order.ts';
import { Reference } from '../sim/history/reference.ts';
import { Random } from '../../bench/random.ts';
import { kvRequest } from '../sim/requests/kv-requests.ts';
import { votingRequest } from '../sim/requests/module-requests.ts';
import { Notebook } from '../sim/requests/notebook.ts';
import { testSigner } from '../transaction/crypto.ts';

const MEDIA_TYPE = 'application/vnd.althing.submission';
const ATTEMPT_MS = 3_000;
const RETRY_MS = 50;
const VALID_MS = 10 * 60 * 1000;
const CLIENTS = 4;
const FIRST_KEY = 40;

interface Done extends Operation {
  readonly sender: string;
  readonly call: Call;
  readonly receipt: Receipt;
}

const signers = Array.from({ length: CLIENTS }, (_, client) => testSigner(FIRST_KEY + client));

export class Histories {
  readonly done: Done[] = [];
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #notebook = new Notebook();
  /** Of blocks, by height. */
  readonly #times = new Map<number, number>();
  #isOver = false;
  #clients: Promise<void>[] = [];

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#random = new Random(seed);
  }

  start(): this {
    this.#clients = signers.map((signer) => this.#run(signer));
    return this;
  }

  /** Resolves once so many answers more have come. */
  async more(answers: number): Promise<void> {
    const wanted = this.done.length + answers;
    while (this.done.length < wanted) await Promise.race([pause(10), ...this.#clients]);
  }

  /** Lets every client finish what it asks for now. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** What is wrong with what the clients were told, or null. */
  async complaint(): Promise<string | null> {
    const genesis = join(this.#cluster.folder, 'genesis.json');
    const reference = new Reference(JSON.parse(readFileSync(genesis, 'utf8')) as Genesis);
    const ordered = this.done.toSorted((a, b) => a.height - b.height || a.index - b.index);
    let height = 0;
    for (const { label, sender, call, receipt, index, ...at } of ordered) {
      if (at.height !== height) {
        height = at.height;
        reference.startBlock({ height, time: await this.#timeOf(height) });
      }
      const { status, result, error } = receipt;
      const said: Outcome =
        status === 'ok' ? { ok: true, result } : { ok: false, code: error?.code ?? '' };
      const wrong = difference(said, reference.run(call, sender, result));
      const what = `${label} ${call.module}.${call.command} ${textOf(call.args)}`;
      if (wrong !== null) return `${what} at ${height}/${index}: ${wrong}`;
    }
    return outOfOrder(this.done);
  }

  async #timeOf(height: number): Promise<number> {
    const known = this.#times.get(height);
    if (known !== undefined) return known;
    const url = `${this.#cluster.urls[0]}/api/v11/blocks/${height}`;
    const { timestamp } = await getJson<{ timestamp: number }>(url);
    this.#times.set(height, timestamp);
    return timestamp;
  }

  async #run(signer: Signer): Promise<void> {
    const sender = `key:${signer.publicKey}`;
    for (let seq = 0; !this.#isOver; seq++) {
      const call = this.#request(sender);
      const label = `${sender.slice(0, 12)}/${seq}`;
      const bytes = signSubmission(
        {
          kind: 'client',
          clusterId: this.#cluster.clusterId,
          key: signer.publicKey,
          seq,
          validUntil: Date.now() + VALID_MS,
          transactions: [call],
        },
        signer,
      );
      const askedAt = performance.now();
      const receipt = await this.#answered(bytes);
      const answeredAt = performance.now();
      this.#notebook.note(sender, call, receipt);
      const { height, index } = receipt;
      this.done.push({ label, sender, call, askedAt, answeredAt, height, index, receipt });
    }
  }

  #request(sender: string): Call {
    const random = this.#random;
    if (random.chance(0.6)) return kvRequest(random, this.#notebook);
    return votingRequest({
      random,
      nowMs: Date.now(),
      notebook: this.#notebook,
      voters: signers.map(({ publicKey }) => publicKey),
      account: 'nobody',
      sender,
      upgradeHeight: Infinity,
    });
  }

  /** Asks one node after the other, from a random one on, until one answers. */
  async #answered(bytes: Uint8Array): Promise<Receipt> {
    for (let node = this.#random.int(this.#cluster.size); ; node++) {
      const receipt = await this.#ask(bytes, node % this.#cluster.size);
      if (receipt !== null) return receipt;
      await pause(RETRY_MS);
    }
  }

  async #ask(bytes: Uint8Array, node: number): Promise<Receipt | null> {
    let answer: { status: number; text: string };
    try {
      const response = await fetch(`${this.#cluster.urls[node]}/api/v11/transactions`, {
        method: 'POST',
        headers: { 'content-type': MEDIA_TYPE, accept: 'application/json' },
        body: bytes,
        signal: AbortSignal.timeout(ATTEMPT_MS),
      });
      answer = { status: response.status, text: await response.text() };
    } catch {
      return null; // not reachable, or silent: the next node is asked
    }
    const { status, text } = answer;
    if (status === 200) return (JSON.parse(text) as { receipts: [Receipt] }).receipts[0];
    if (status < 500 && status !== 429) throw new Error(`${status} ${text}`);
    return null;
  }
}
