/** A store to run commands on, at times of the test's own. */
import type { Signer } from '../../../protocols/crypto.ts';
import type { ConsensusLimits } from '../../../protocols/genesis.ts';
import type { Receipt } from '../../../protocols/transaction/receipts.ts';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { alice, receiptsOf, signed, START_MS } from '../../transaction/fixture.ts';
import { World } from '../run.ts';

export const at = { namespace: 'n', key: 'k' };

/** A command of the module on namespace `n`, unless `args` say another. */
export const call = (command: string, args: Record<string, Value> = {}): Call => ({
  module: 'kv',
  command,
  args: { namespace: 'n', ...args },
});
/** The same on key `k`. */
export const onKey = (command: string, args: Record<string, Value> = {}): Call =>
  call(command, { key: 'k', ...args });
/** A command that is about no namespace. */
export const plain = (command: string, args: Record<string, Value> = {}): Call => ({
  module: 'kv',
  command,
  args,
});

export const codeOf = ({ error }: Receipt): string => error?.code ?? 'ok';
export const senderOf = ({ publicKey }: Signer): string => `key:${publicKey}`;

export class Store {
  readonly #world: World;
  readonly #seqs = new Map<string, number>();
  /** Of the last block, in milliseconds since the start. */
  #now = 0;

  constructor(limits?: Readonly<Record<string, unknown>>, cluster: Partial<ConsensusLimits> = {}) {
    this.#world = new World(limits === undefined ? {} : { kv: limits }, cluster);
  }

  /** The next block, `ms` after the start: receipts of its timers, then of the calls. */
  at(ms: number, calls: readonly Call[] = [], signer: Signer = alice): Receipt[] {
    this.#now = ms;
    const { publicKey } = signer;
    const seq = this.#seqs.get(publicKey) ?? 0;
    this.#seqs.set(publicKey, seq + 1);
    const submissions = calls.length === 0 ? [] : [signed(seq, calls, { signer })];
    return receiptsOf(this.#world.chain.next([[0, submissions]], START_MS + ms));
  }

  run(calls: readonly Call[], signer: Signer = alice): Receipt[] {
    return this.at(this.#now, calls, signer).slice(-calls.length);
  }

  codes(calls: readonly Call[], signer: Signer = alice): string[] {
    return this.run(calls, signer).map(codeOf);
  }

  /** The result of the only call, or why it was refused. */
  one(each: Call, signer: Signer = alice): Value | undefined {
    const [receipt] = this.run([each], signer);
    return receipt!.error?.code ?? receipt!.result;
  }

  ask(query: string, args: Readonly<Record<string, Value>> = {}): unknown {
    return this.#world.ask('kv', query, args);
  }

  /** All entries of a namespace by key, read by pages of `limit`. */
  entries(namespace = 'n', limit = 1000): Record<string, unknown>[] {
    const all: Record<string, unknown>[] = [];
    let after: string | null | undefined;
    while (after !== null) {
      const args = { namespace, limit, ...(after === undefined ? {} : { after }) };
      const page = this.ask('list', args) as { entries: []; next: string | null };
      all.push(...page.entries);
      after = page.next;
    }
    return all;
  }

  revision(namespace = 'n'): number {
    return (this.ask('namespace', { namespace }) as { revision: number }).revision;
  }
}
