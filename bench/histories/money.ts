/**
 * Clients that send money to and fro between accounts of their own and of each other, and what must be
 * in the accounts after that: money is neither made nor lost, whatever becomes of nodes.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { submissionId, type Call } from '../../protocols/transaction/submission.ts';
import type { Signer } from '../../protocols/crypto.ts';
import { Client } from '../../src/client/client.ts';
import { AlthingError } from '../../src/client/errors.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import type { Cluster } from '../cluster.ts';
import type { Random } from '../random.ts';
import type { HistoryTally } from './tally.ts';

const CLIENTS = 3;
const ACCOUNTS_EACH = 3;
export const OPENING = 1_000;
/** Now and then more than an account can have: such a transfer fails, and changes nothing. */
const AMOUNT_MAX = 900;
const PAUSE_MS_MAX = 250;
const SIGNATURE_BYTES = 64;

export interface Transfer {
  readonly label: string;
  /** Of the submission. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly askedAt: number;
  readonly answeredAt: number;
  /** `refused`: it was not executed and will not be. */
  readonly outcome: 'ok' | 'failed' | 'refused' | 'unknown';
  /** Where it stands in the chain, if that was told. */
  readonly place?: { readonly height: number; readonly index: number };
}

interface Owner {
  readonly client: Client;
  readonly accounts: readonly string[];
}

export class Money {
  readonly transfers: Transfer[] = [];
  readonly #random: Random;
  readonly #tally: HistoryTally;
  #owners: readonly Owner[] = [];
  #isOver = false;
  #running: Promise<void>[] = [];

  constructor(random: Random, tally: HistoryTally) {
    this.#random = random;
    this.#tally = tally;
  }

  get accounts(): readonly string[] {
    return this.#owners.flatMap(({ accounts }) => accounts);
  }

  /** Opens the accounts, gives each its money, and lets the clients go. */
  async start(cluster: Cluster, validityMs: number): Promise<void> {
    const connect = (signer: Signer) =>
      Client.connect({ urls: cluster.urls, crypto: nodeCrypto, signer, validityMs });
    const owners: Owner[] = [];
    for (let owner = 0; owner < CLIENTS; owner++) {
      const client = await connect(signerFromPem(generateKey().pem));
      const accounts = Array.from({ length: ACCOUNTS_EACH }, (_, at) => `money-${owner}-${at}`);
      owners.push({ client, accounts });
      await expectOk(
        client,
        'open',
        accounts.map((account) => ({ account })),
      );
    }
    this.#owners = owners;
    const issued = this.accounts.map((account) => ({ account, amount: OPENING }));
    await expectOk(await connect(cluster.operator()), 'issue', issued);
    this.#running = owners.map((owner, at) => this.#run(owner, `money-${at}`));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  /** Rejects when a client cannot go on. */
  failed(): Promise<unknown> {
    return Promise.all(this.#running);
  }

  async #run({ client, accounts }: Owner, name: string): Promise<void> {
    const random = this.#random.fork();
    for (let at = 0; !this.#isOver; at++) {
      const from = random.pick(accounts);
      const to = random.pick(this.accounts.filter((account) => account !== from));
      const amount = random.between(1, AMOUNT_MAX);
      this.transfers.push(await this.#send(client, `${name}/${at}`, { from, to, amount }));
      await pause(random.int(PAUSE_MS_MAX));
    }
  }

  async #send(
    client: Client,
    label: string,
    args: Pick<Transfer, 'from' | 'to' | 'amount'>,
  ): Promise<Transfer> {
    let id = '';
    const signed = (bytes: Uint8Array): void => {
      id = submissionId(nodeCrypto, bytes.subarray(0, -SIGNATURE_BYTES));
    };
    const askedAt = performance.now();
    try {
      const { receipts } = await client.submit([ledger('transfer', args)], { signed });
      const { status: outcome, height, index } = receipts[0]!;
      this.#tally.answered(askedAt, true);
      const answeredAt = performance.now();
      return { label, id, ...args, askedAt, answeredAt, outcome, place: { height, index } };
    } catch (error) {
      if (!(error instanceof AlthingError)) throw error;
      const outcome = client.neverExecutes(error) ? 'refused' : 'unknown';
      this.#tally.notAnswered(outcome, `${error.code}: ${error.message}`);
      return { label, id, ...args, askedAt, answeredAt: performance.now(), outcome };
    }
  }
}

const ledger = (command: string, args: Call['args']): Call => ({ module: 'ledger', command, args });

async function expectOk(client: Client, command: string, all: readonly Call['args'][]) {
  const { receipts } = await client.submit(all.map((args) => ledger(command, args)));
  const failed = receipts.find(({ status }) => status === 'failed');
  if (failed !== undefined) throw new Error(`${command}: ${failed.error?.message}`);
}
