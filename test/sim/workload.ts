/**
 * What clients ask for, of every module: things that must succeed and things that must fail; signed by
 * the client, by a validator, or vouched for by a node; one or many at a time; now and then two different
 * things under one number or key, or something that may run out of time.
 */
import { utf8 } from '../../protocols/bytes.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { PublicKey } from '../../protocols/types.ts';
import {
  encodeSubmission,
  signSubmission,
  type Call,
} from '../../protocols/transaction/submission.ts';
import type { Configs } from './history/reference.ts';
import type { Profile } from './profile.ts';
import type { Random } from '../../bench/random.ts';
import { kvRequest } from './requests/kv-requests.ts';
import { ledgerRequest, START_BALANCE, transfer } from './requests/ledger-requests.ts';
import {
  ASSET,
  ATTESTATIONS,
  attestRequest,
  bridgeRequest,
  castRequest,
  timerRequest,
  TREASURIES,
  treasuryOf,
  upgradeRequest,
  votingRequest,
  type Situation,
} from './requests/module-requests.ts';
import type { Notebook } from './requests/notebook.ts';
import { newWish, type Wish } from './submissions.ts';
import type { World } from './world.ts';

const VALID_MS = 9 * 60 * 1000;
/** Under an idempotency key half of the genesis's bound is allowed (I46), and every attempt differs. */
const KEYED_VALID_MS = 4.5 * 60 * 1000;
const ATTEMPTS_DIFFER_MS = 20_000;

/** Whoever asks has an account of its own, and one that only it pays into. */
function askers(profile: Profile): string[] {
  const clients = Array.from({ length: profile.clients }, (_, c) => [
    `client-${c}`,
    `brief-${c}`,
    `desk-${c}`,
  ]);
  const probes = Array.from({ length: profile.n }, (_, v) => `probe-${v}`);
  return [...clients.flat(), ...probes];
}

const sinkOf = (asker: string): string => `sink-${asker}`;

export function accountsOf(profile: Profile): string[] {
  return [
    ...askers(profile).flatMap((name) => [name, sinkOf(name)]),
    ...TREASURIES.map(treasuryOf),
  ];
}

export function genesisModules(
  profile: Profile,
  signerOf: (name: string) => Signer,
): Record<keyof Configs, unknown> {
  const accounts = askers(profile).flatMap((name) => {
    const isDesk = name.startsWith('desk-');
    const owner = isDesk ? `principal:${name}` : `key:${signerOf(name).publicKey}`;
    return [
      { account: name, owner, balance: String(START_BALANCE) },
      { account: sinkOf(name), owner: `principal:nobody`, balance: '0' },
    ];
  });
  const treasuries = TREASURIES.map((required) => ({
    account: treasuryOf(required),
    owner: `module:voting/validators/${required}`,
    balance: '1000',
  }));
  const attesters = Array.from(
    { length: profile.n },
    (_, v) => `key:${signerOf(`validator-${v}`).publicKey}`,
  );
  const required = Math.min(ATTESTATIONS, profile.n);
  const configs: Configs = {
    ledger: { accounts: [...accounts, ...treasuries] },
    bridge: { attesters, required, assets: [ASSET] },
  };
  return { ...configs };
}

interface WorkloadSetup {
  readonly random: Random;
  readonly signerOf: (name: string) => Signer;
  readonly notebook: Notebook;
}

export class Workload {
  readonly #world: World;
  readonly #random: Random;
  readonly #signerOf: (name: string) => Signer;
  readonly #notebook: Notebook;
  readonly #voters: readonly PublicKey[];
  readonly #next = new Map<string, number>();

  constructor(world: World, { random, signerOf, notebook }: WorkloadSetup) {
    this.#world = world;
    this.#random = random;
    this.#signerOf = signerOf;
    this.#notebook = notebook;
    const { validators } = world.cluster.genesis;
    this.#voters = [
      signerOf('client-0').publicKey,
      ...validators.map(({ publicKey }) => publicKey),
    ];
  }

  /** What the client wants next: one wish, or two that exclude each other. */
  next(client: number): Wish[] {
    if (this.#random.chance(0.35)) return [this.#byValidator()];
    const isVouched = this.#random.chance(0.25);
    const name = isVouched ? `desk-${client}` : `client-${client}`;
    const make = (calls: readonly Call[], number: number, rival: boolean): Wish =>
      isVouched
        ? this.#vouched(name, calls, number, rival)
        : this.#signed(name, calls, number, { rival });
    const number = this.#numberOf(name);
    if (this.#random.chance(0.12)) {
      const calls = this.#calls(name);
      return [make(calls, number, true), make([...calls, payment(name)], number, true)];
    }
    if (!isVouched && this.#random.chance(0.1)) {
      // Under a key of its own: what expires takes the seqs below it along.
      const brief = `brief-${client}`;
      const validMs = this.#random.between(20, 900);
      return [this.#signed(brief, this.#calls(brief), this.#numberOf(brief), { validMs })];
    }
    return [make(this.#calls(name), number, false)];
  }

  /** A plain transfer that only this validator is asked to bring through. */
  probe(validator: number): Wish {
    const name = `probe-${validator}`;
    return this.#signed(name, [payment(name)], this.#numberOf(name), { only: validator });
  }

  #numberOf(name: string): number {
    const number = this.#next.get(name) ?? 0;
    this.#next.set(name, number + this.#world.profile.seqStep);
    return number;
  }

  /** Validators vote, attest and approve an upgrade, with the keys of their nodes. */
  #byValidator(): Wish {
    const name = `validator-${this.#random.int(this.#world.profile.n)}`;
    const at = this.#situation(name, sinkOf('client-0'));
    const request = this.#random.pick([
      castRequest,
      castRequest,
      attestRequest,
      attestRequest,
      upgradeRequest,
    ]);
    const calls = this.#several(() => request(at), 0.4);
    return this.#signed(name, calls, this.#numberOf(name), {});
  }

  /** A validator's approval of the upgrade. */
  approval(validator: number): Wish {
    const name = `validator-${validator}`;
    const calls = [upgradeRequest(this.#situation(name, name))];
    return this.#signed(name, calls, this.#numberOf(name), {});
  }

  #calls(name: string): Call[] {
    return this.#several(() => this.#call(this.#situation(name, name)));
  }

  #several(make: () => Call, single = 0.7): Call[] {
    const count = this.#random.chance(single) ? 1 : this.#random.between(2, 5);
    return Array.from({ length: count }, make);
  }

  #call(at: Situation): Call {
    const kind = this.#random.int(14);
    if (kind < 4) return ledgerRequest({ ...at, others: this.#world.accounts });
    if (kind < 7) return kvRequest(this.#random, this.#notebook);
    if (kind < 9) return votingRequest(at);
    return kind < 12 ? bridgeRequest(at) : timerRequest(at);
  }

  #situation(name: string, account: string): Situation {
    return {
      random: this.#random,
      nowMs: this.#world.nowMs(),
      notebook: this.#notebook,
      voters: this.#voters,
      account,
      sender: this.#senderOf(name),
      upgradeHeight: this.#world.profile.upgradeHeight,
    };
  }

  #senderOf(name: string): string {
    const isDesk = name.startsWith('desk-');
    return isDesk ? `principal:${name}` : `key:${this.#signerOf(name).publicKey}`;
  }

  #signed(
    name: string,
    transactions: readonly Call[],
    seq: number,
    how: { readonly rival?: boolean; readonly validMs?: number; readonly only?: number },
  ): Wish {
    const signer = this.#signerOf(name);
    const content = {
      kind: 'client' as const,
      clusterId: this.#world.cluster.id,
      key: signer.publicKey,
      seq,
      validUntil: this.#world.nowMs() + (how.validMs ?? VALID_MS),
      transactions,
    };
    const bytes = signSubmission(content, signer);
    const id = this.#world.crypto.hash(encodeSubmission(content));
    return newWish(`${name}/${seq}`, this.#senderOf(name), transactions, {
      bytesFor: () => bytes,
      idFor: () => id,
      signed: true,
      rival: how.rival ?? false,
      shortLived: how.validMs !== undefined,
      only: how.only ?? null,
    });
  }

  /** For a caller without a key, under its idempotency key: every node has its own form of it (E3). */
  #vouched(name: string, transactions: readonly Call[], number: number, rival: boolean): Wish {
    const validUntil = this.#world.nowMs() + KEYED_VALID_MS;
    const { clusterId, validators } = {
      clusterId: this.#world.cluster.id,
      validators: this.#world.cluster.genesis.validators,
    };
    const bytesFor = (validator: number): Uint8Array =>
      encodeSubmission({
        kind: 'node',
        clusterId,
        key: validators[validator]?.publicKey as PublicKey,
        principal: name,
        idempotencyKey: utf8(`request ${number}`),
        validUntil: validUntil - validator * ATTEMPTS_DIFFER_MS,
        transactions,
      });
    return newWish(`${name}/${number}`, this.#senderOf(name), transactions, {
      bytesFor,
      idFor: (validator) => this.#world.crypto.hash(bytesFor(validator)),
      signed: false,
      rival,
      shortLived: false,
      only: null,
    });
  }
}

const payment = (asker: string): Call => transfer(asker, sinkOf(asker), 1);
