/** All clients of one run: what they were told, and what is wrong with it when all is over. */
import { readFileSync } from 'node:fs';
import type { Genesis } from '../../protocols/genesis.ts';
import { Client } from '../../src/client/client.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import { clusterFiles } from '../../src/init/layout.ts';
import type { Cluster } from '../cluster.ts';
import { agreement, progressed, unready } from '../observer.ts';
import type { Random } from '../random.ts';
import { httpDoor, signedDoor, type Door } from './doors.ts';
import { Glances } from './glances.ts';
import { KeyClients } from './key-clients.ts';
import { complaints } from './linearizable.ts';
import { auditMoney } from './money-audit.ts';
import { Money, OPENING } from './money.ts';
import { outOfOrder } from './order.ts';
import { HistoryTally } from './tally.ts';

/** Then what nobody told of has either happened or never will. */
const VALIDITY_MS = 8_000;
/** How many nodes a client that has an `Idempotency-Key` asks, one after the other. */
const ATTEMPTS = 3;
/** For all nodes to be ready and agree, with no faults any more, on however busy a machine. */
const SETTLED_MS = 300_000;

export class Session {
  readonly tally = new HistoryTally();
  readonly keys: KeyClients;
  readonly money: Money;
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #lifeOf: (node: number) => number;
  #glances: Glances | null = null;

  constructor(cluster: Cluster, random: Random, lifeOf: (node: number) => number) {
    this.#cluster = cluster;
    this.#random = random;
    this.#lifeOf = lifeOf;
    this.keys = new KeyClients(random.fork(), this.tally);
    this.money = new Money(random.fork(), this.tally);
  }

  get glances(): number {
    return this.#glances?.count ?? 0;
  }

  async start(): Promise<void> {
    const cluster = this.#cluster;
    await this.money.start(cluster, VALIDITY_MS);
    // Before this a node that is behind may have accounts that hold nothing yet.
    await progressed(cluster);
    this.keys.start(await this.#doors());
    this.#glances = new Glances({
      cluster,
      random: this.#random.fork(),
      lifeOf: this.#lifeOf,
      keys: () => this.keys.keys,
      accounts: this.money.accounts,
      issued: this.money.accounts.length * OPENING,
    });
    this.#glances.start();
  }

  /** Of each kind two clients: signed and proved, signed and believed, by HTTP with a key and without. */
  async #doors(): Promise<Map<string, Door>> {
    const { folder, urls } = this.#cluster;
    const files = clusterFiles(folder);
    const genesis = JSON.parse(readFileSync(files.genesis, 'utf8')) as Genesis;
    const token = readFileSync(files.token, 'utf8').trim();
    const doors = new Map<string, Door>();
    for (const at of [1, 2]) {
      const random = this.#random.fork();
      const options = { urls, crypto: nodeCrypto, validityMs: VALIDITY_MS };
      const connect = (more: { readonly genesis?: Genesis }) =>
        Client.connect({ ...options, ...more, signer: signerFromPem(generateKey().pem) });
      doors.set(`proved-${at}`, signedDoor(await connect({ genesis })));
      doors.set(`signed-${at}`, signedDoor(await connect({})));
      doors.set(`keyed-${at}`, httpDoor({ urls, token, random, attempts: ATTEMPTS }));
      doors.set(`once-${at}`, httpDoor({ urls, token, random, attempts: 1 }));
    }
    return doors;
  }

  /** Rejects when a client was told what cannot be understood. */
  failed(): Promise<unknown> {
    return Promise.all([this.keys.failed(), this.money.failed()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.keys.stop(), this.money.stop(), this.#glances?.stop()]);
  }

  /** Sentences about all that must not be; what a cluster is in the end, too. */
  async violations(): Promise<readonly string[]> {
    // What still waits in a lane is executed by then, or has expired.
    await new Promise((resolve) => setTimeout(resolve, VALIDITY_MS));
    const down = await unready(this.#cluster, SETTLED_MS);
    if (down.length > 0) return down;
    const { violations } = await agreement(this.#cluster, SETTLED_MS);
    const { transfers, accounts } = this.money;
    const placed = transfers.flatMap(({ place, ...each }) =>
      place === undefined ? [] : [{ ...each, ...place }],
    );
    const disorder = outOfOrder([...this.keys.placed, ...placed]);
    return [
      ...violations,
      ...complaints(this.keys.operations),
      ...(disorder === null ? [] : [disorder]),
      ...(this.#glances?.violations ?? []),
      ...(await auditMoney(this.#cluster.urls, accounts, transfers)),
    ];
  }
}
