/**
 * What a command sees while it runs: one context for each module, over what is common to the
 * transaction that runs now. Nothing is allocated for a transaction that emits and draws nothing.
 */
import type { Crypto } from '../crypto.ts';
import type { Digest, Millis, PublicKey } from '../types.ts';
import { HashInput } from './hash-input.ts';
import type { Meter } from './meter.ts';
import type { CommandContext, Outcome, Tables } from './module.ts';
import type { ReceiptEvent } from './receipts.ts';
import type { Value } from './values.ts';

const RANDOM_TAG = 'althing/v1/random';
const VALUE_TAG = 'althing/v1/value';

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
  /** Timers that it has set. */
  scheduled = 0;
  events: ReceiptEvent[] = [];
  readonly validators: readonly PublicKey[];
  readonly meter: Meter;
  readonly #crypto: Crypto;
  readonly #input = new HashInput();

  constructor(crypto: Crypto, validators: readonly PublicKey[], meter: Meter) {
    this.#crypto = crypto;
    this.meter = meter;
    this.validators = Object.freeze([...validators]);
  }

  /** The n-th draw of a transaction is a hash over its block, its id and n (E1). */
  random(): Uint8Array {
    const input = this.#input.start().text(RANDOM_TAG).hex(this.blockDigest).hex(this.submission);
    const drawn = new Uint8Array(32);
    this.#crypto.treeHash(input.u32(this.index).u32(this.draws++).done(), drawn, 0);
    return drawn;
  }

  hash(value: Value): Digest {
    return this.#crypto.hash(this.#input.start().text(VALUE_TAG).value(value).done());
  }
}

/** What contexts leave to the runner: it knows the other modules and the timers. */
export interface Host {
  schedule(module: string, at: Millis, timer: string, args: Value): string;
  cancel(module: string, id: string): boolean;
  call(sender: string, module: string, command: string, args: Value): Outcome;
}

export class ModuleContext implements CommandContext {
  readonly tables: Tables;
  readonly #module: string;
  readonly #scope: Scope;
  readonly #host: Host;

  constructor(module: string, scope: Scope, tables: Tables, host: Host) {
    this.#module = module;
    this.#scope = scope;
    this.#host = host;
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

  get validators(): readonly PublicKey[] {
    return this.#scope.validators;
  }

  get meter(): Meter {
    return this.#scope.meter;
  }

  // Fields, so that commands can take them out of the context.

  readonly random = (): Uint8Array => this.#scope.random();

  readonly hash = (value: Value): Digest => this.#scope.hash(value);

  readonly emit = (name: string, data: Value): void => {
    this.#scope.events.push({ module: this.#module, name, data });
  };

  readonly schedule = (at: Millis, timer: string, args: Value): string =>
    this.#host.schedule(this.#module, at, timer, args);

  readonly cancel = (id: string): boolean => this.#host.cancel(this.#module, id);

  readonly call = (module: string, command: string, args: Value, as?: string): Outcome => {
    const sender = as === undefined ? `module:${this.#module}` : `module:${this.#module}/${as}`;
    return this.#host.call(sender, module, command, args);
  };
}
