/**
 * What a command sees while it runs: one context for each module, over what is common to the
 * transaction that runs now. Nothing is allocated for a transaction that emits and draws nothing.
 */
import type { Crypto } from '../crypto.ts';
import type { Digest, Millis } from '../types.ts';
import { HashInput } from './hash-input.ts';
import type { CommandContext, Rows, TablesOf } from './module.ts';
import type { ReceiptEvent } from './receipts.ts';
import type { Value } from './values.ts';

const RANDOM_TAG = 'althing/v1/random';

/** The transaction that runs now. The runner sets it; commands read it through their context. */
export class Scope {
  time: Millis = 0;
  height = 0;
  blockDigest = '' as Digest;
  sender = '';
  via = '';
  submission = '' as Digest;
  /** Index of the transaction in its submission. */
  index = 0;
  draws = 0;
  events: ReceiptEvent[] = [];
  readonly #crypto: Crypto;
  readonly #input = new HashInput();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** The n-th draw of a transaction is a hash over its block, its id and n (E1). */
  random(): Uint8Array {
    const input = this.#input.start().text(RANDOM_TAG).hex(this.blockDigest).hex(this.submission);
    const drawn = new Uint8Array(32);
    this.#crypto.treeHash(input.u32(this.index).u32(this.draws++).done(), drawn, 0);
    return drawn;
  }
}

export class ModuleContext implements CommandContext {
  readonly tables: TablesOf<Rows>;
  readonly #scope: Scope;

  constructor(scope: Scope, tables: TablesOf<Rows>) {
    this.#scope = scope;
    this.tables = tables;
  }

  get time(): Millis {
    return this.#scope.time;
  }

  get height(): number {
    return this.#scope.height;
  }

  get sender(): string {
    return this.#scope.sender;
  }

  get via(): string {
    return this.#scope.via;
  }

  random(): Uint8Array {
    return this.#scope.random();
  }

  emit(name: string, data: Value): void {
    this.#scope.events.push({ name, data });
  }
}
