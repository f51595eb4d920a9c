/**
 * What etcd would make of the commands, written down once more in the plainest way: for tests to
 * compare the module with. One instance is one namespace.
 */
import type { Value } from '../../../protocols/transaction/values.ts';
import { Refused } from '../refused.ts';

export interface KeyValue {
  readonly key: string;
  readonly value: number;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease?: string;
}

export type Comparison = {
  readonly key: string;
  readonly target: 'value' | 'version' | 'createRevision' | 'modRevision' | 'lease';
  readonly is: 'equal' | 'notEqual' | 'greater' | 'less';
  readonly value: number | string;
};
export type Op =
  | {
      readonly set: {
        readonly key: string;
        readonly value: number;
        readonly lease?: string;
        readonly ttlMs?: number;
      };
    }
  | { readonly delete: { readonly key: string } }
  | { readonly get: { readonly key: string } }
  | { readonly deleteRange: { readonly prefix: string } };

export class EtcdModel {
  revision = 0;
  keys = new Map<string, KeyValue>();
  leases = new Map<string, { owner: string; ttlMs: number; endsAt: number }>();
  /** Whose command it is. */
  sender = '';
  readonly #name: string;
  #now = 0;
  #changed = new Set<string>();

  constructor(name = 'n') {
    this.#name = name;
  }

  /** Time goes on: what has ended goes, each lease with its keys at a revision of its own. */
  goTo(now: number): void {
    this.#now = now;
    for (const [id, { endsAt }] of this.leases) if (endsAt <= now) this.#end(id);
  }

  /** The code of a refusal, or the results. */
  do(command: () => unknown): unknown {
    const before = [this.revision, new Map(this.keys), new Map(this.leases)] as const;
    this.#changed = new Set();
    try {
      const result = command();
      if (this.#changed.size > 0) this.revision++;
      return result ?? null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      [this.revision, this.keys, this.leases] = before;
      return error.message;
    }
  }

  txn(compare: readonly Comparison[], then: readonly Op[], otherwise: readonly Op[]): unknown {
    const succeeded = compare.every((each) => this.#holds(each));
    const results = (succeeded ? then : otherwise).map((op) => this.#op(op));
    const revision = this.revision + (this.#changed.size > 0 ? 1 : 0);
    return { revision, succeeded, results };
  }

  grant(id: string, ttlMs: number): void {
    if (this.leases.has(id)) throw new Refused('lease_exists');
    this.leases.set(id, { owner: this.sender, ttlMs, endsAt: this.#now + ttlMs });
  }

  keepAlive(id: string): void {
    const lease = this.#owned(id);
    this.leases.set(id, { ...lease, endsAt: this.#now + lease.ttlMs });
  }

  revoke(id: string): void {
    this.#owned(id);
    this.#end(id);
  }

  /** What the key holds is gone; how many keys that were. */
  delete(key: string): number {
    const held = this.keys.get(key);
    if (held === undefined) return 0;
    this.#once(key);
    this.keys.delete(key);
    this.leases.delete(`${this.#name}/${key}`);
    return 1;
  }

  #owned(id: string): { owner: string; ttlMs: number; endsAt: number } {
    const lease = this.leases.get(id);
    if (lease === undefined) throw new Refused('lease_not_found');
    if (lease.owner !== this.sender) throw new Refused('not_lease_owner');
    return lease;
  }

  #end(id: string): void {
    const held = [...this.keys.values()].filter(({ lease }) => lease === id);
    for (const { key } of held) this.keys.delete(key);
    if (held.length > 0) this.revision++;
    this.leases.delete(id);
  }

  #holds({ key, target, is, value }: Comparison): boolean {
    const held = this.keys.get(key);
    if (held === undefined && target === 'value') return false;
    const side = held?.[target] ?? (target === 'lease' ? '' : 0);
    if (is === 'equal') return side === value;
    if (is === 'notEqual') return side !== value;
    return is === 'greater' ? side > value : side < value;
  }

  #op(op: Op): Value {
    if ('get' in op) return { get: this.#show(op.get.key) };
    if ('delete' in op) return { delete: { deleted: this.delete(op.delete.key) } };
    if ('set' in op) return { set: this.set(op.set) };
    const within = [...this.keys.keys()].filter((key) => key.startsWith(op.deleteRange.prefix));
    for (const key of within) this.delete(key);
    return { deleteRange: { deleted: within.length } };
  }

  #show(key: string): Value {
    return (this.keys.get(key) as unknown as Value | undefined) ?? null;
  }

  #once(key: string): void {
    if (this.#changed.has(key)) throw new Refused('duplicate_key');
    this.#changed.add(key);
  }

  set({
    key,
    value,
    lease,
    ttlMs,
  }: {
    key: string;
    value: number;
    lease?: string;
    ttlMs?: number;
  }): Value {
    this.#once(key);
    if (lease !== undefined && ttlMs !== undefined) throw new Refused('two_leases');
    if (lease !== undefined) this.#owned(lease);
    const own = `${this.#name}/${key}`;
    this.leases.delete(own);
    if (ttlMs !== undefined) {
      this.leases.set(own, { owner: this.sender, ttlMs, endsAt: this.#now + ttlMs });
    }
    const held = this.keys.get(key);
    const marks = {
      createRevision: held?.createRevision ?? this.revision + 1,
      modRevision: this.revision + 1,
      version: (held?.version ?? 0) + 1,
      ...(ttlMs !== undefined ? { lease: own } : lease !== undefined ? { lease } : {}),
    };
    this.keys.set(key, { key, value, ...marks });
    return marks;
  }
}
