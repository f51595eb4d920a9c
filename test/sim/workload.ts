/**
 * What clients ask for: transfers that must succeed, transfers that must fail, writes of keys; signed
 * by the client or vouched for by a node; one or many at a time; now and then two different things
 * under one number or key, or something that may run out of time.
 */
import { utf8 } from '../../protocols/bytes.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { PublicKey } from '../../protocols/types.ts';
import {
  encodeSubmission,
  signSubmission,
  type Call,
} from '../../protocols/transaction/submission.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import { newWish, type Wish } from './submissions.ts';
import type { World } from './world.ts';

export const START_BALANCE = 1_000_000;
const VALID_MS = 9 * 60 * 1000;
/** Under an idempotency key half of the genesis's bound is allowed (I46), and every attempt differs. */
const KEYED_VALID_MS = 4.5 * 60 * 1000;
const ATTEMPTS_DIFFER_MS = 20_000;
const IMPOSSIBLE = 2 * START_BALANCE;

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

export const sinkOf = (asker: string): string => `sink-${asker}`;

export function genesisModules(
  profile: Profile,
  signerOf: (name: string) => Signer,
): Record<string, unknown> {
  const accounts = askers(profile).flatMap((name) => {
    const isDesk = name.startsWith('desk-');
    const owner = isDesk ? `principal:${name}` : `key:${signerOf(name).publicKey}`;
    return [
      { account: name, owner, balance: String(START_BALANCE) },
      { account: sinkOf(name), owner: `principal:nobody`, balance: '0' },
    ];
  });
  return { ledger: { accounts } };
}

export class Workload {
  readonly #world: World;
  readonly #random: Random;
  readonly #signerOf: (name: string) => Signer;
  readonly #next = new Map<string, number>();

  constructor(world: World, random: Random, signerOf: (name: string) => Signer) {
    this.#world = world;
    this.#random = random;
    this.#signerOf = signerOf;
  }

  /** What the client wants next: one wish, or two that exclude each other. */
  next(client: number): Wish[] {
    const isVouched = this.#random.chance(0.25);
    const name = isVouched ? `desk-${client}` : `client-${client}`;
    const make = (calls: readonly Call[], number: number, rival: boolean): Wish =>
      isVouched
        ? this.#vouched(name, calls, number, rival)
        : this.#signed(name, calls, number, { rival });
    const number = this.#numberOf(name);
    if (this.#random.chance(0.12)) {
      const calls = this.#calls(name);
      return [make(calls, number, true), make([...calls, transfer(name, 1)], number, true)];
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
    return this.#signed(name, [transfer(name, 1)], this.#numberOf(name), { only: validator });
  }

  #numberOf(name: string): number {
    const number = this.#next.get(name) ?? 0;
    this.#next.set(name, number + this.#world.profile.seqStep);
    return number;
  }

  #calls(name: string): Call[] {
    const count = this.#random.chance(0.7) ? 1 : this.#random.between(2, 5);
    return Array.from({ length: count }, () => this.#call(name));
  }

  #call(name: string): Call {
    const kind = this.#random.int(10);
    if (kind === 0) return transfer(name, IMPOSSIBLE);
    if (kind > 2) return transfer(name, this.#random.between(1, 50));
    const key = `k${this.#random.int(5)}`;
    return {
      module: 'kv',
      command: 'set',
      args: { namespace: 'sim', key, value: this.#random.int(1000) },
    };
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
    return newWish(`${name}/${seq}`, name, transactions, {
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
    return newWish(`${name}/${number}`, name, transactions, {
      bytesFor,
      idFor: (validator) => this.#world.crypto.hash(bytesFor(validator)),
      signed: false,
      rival,
      shortLived: false,
      only: null,
    });
  }
}

function transfer(from: string, amount: number): Call {
  return { module: 'ledger', command: 'transfer', args: { from, to: sinkOf(from), amount } };
}

/** Whether the call must succeed, whatever else happens. */
export function mustSucceed({ args }: Call): boolean {
  return (args as { readonly amount?: number }).amount !== IMPOSSIBLE;
}
