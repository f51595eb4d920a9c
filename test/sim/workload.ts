/** What clients ask for, and what must be true of the state after all of it. */
import type { Signer } from '../../protocols/crypto.ts';
import type { AnswerResult } from '../../protocols/messages.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import { encodeSubmission, signSubmission } from '../../protocols/transaction/submission.ts';
import type { Random } from './random.ts';
import type { Wish } from './submissions.ts';
import type { World } from './world.ts';

export const GENESIS_MODULES = {};

export interface Expectation {
  readonly module: string;
  readonly query: string;
  readonly args: unknown;
  readonly check: (result: AnswerResult) => string | null;
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

  next(client: number): Wish[] {
    return [this.#signed(`client-${client}`, [this.#call()], null)];
  }

  probe(validator: number): Wish {
    return this.#signed(`probe-${validator}`, [this.#call()], validator);
  }

  #call(): Call {
    return { module: 'kv', command: 'set', args: { key: String(this.#random.int(10)) } };
  }

  #signed(name: string, transactions: readonly Call[], only: number | null): Wish {
    const signer = this.#signerOf(name);
    const seq = this.#next.get(name) ?? 0;
    this.#next.set(name, seq + 1);
    const content = {
      kind: 'client' as const,
      clusterId: this.#world.cluster.id,
      key: signer.publicKey,
      seq,
      validUntil: this.#world.nowMs() + 500_000,
      transactions,
    };
    const bytes = signSubmission(content, signer);
    const id = this.#world.crypto.hash(encodeSubmission(content));
    return {
      label: `${name}/${seq}`,
      calls: transactions,
      bytesFor: () => bytes,
      idFor: () => id,
      signed: true,
      only,
      rival: false,
      shortLived: false,
      attempts: 0,
      told: null,
      refused: null,
      timer: 0,
    };
  }
}

export function expectBalances(_wishes: readonly Wish[]): number {
  return 0;
}

export function auditQueries(_expected: number): Expectation[] {
  return [];
}
