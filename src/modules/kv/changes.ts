/**
 * What one command changes in a namespace. As in a transaction of etcd, all of it has one revision.
 *
 * R1. A command that changes something raises the revision of its namespace by one, and its changes have
 *     that as their `modRevision`: which never returns, also not after a delete. It is the ETag.
 * R2. `version` counts the writes of a key since it was created, at `createRevision`; a delete ends it.
 * R3. No command changes a key twice: a key and a revision name one value.
 * R5. A namespace that was claimed is changed by its owner and its writers only, and by leases.
 * R6. A namespace says how many keys it has and the bytes of keys and values; a command that would make
 *     it grow beyond its limits is refused.
 * R16. A value has no more levels than the deepest answer leaves of those that a value may have: whatever is
 *     stored can be read, in every way, by everybody.
 */
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { encodeValue, utf8Length, type Value } from '../../../protocols/transaction/values.ts';
import { addLease, dropLease, liveLease } from './lease-timers.ts';
import { isDeeper, limitsOf, VALUE_LEVELS_MAX } from './limits.ts';
import {
  EMPTY_NAMESPACE,
  isOwnLease,
  isThere,
  rowKey,
  type Commands,
  type EntryRow,
  type NamespaceRow,
} from './rows.ts';

/** Values up to here stand in their events: a watcher need not read them. */
const EVENT_VALUE_BYTES_MAX = 4096;
/** Keys that one command changes. */
export const CHANGES_MAX = 1000;
/** As many timers as a transaction may set. */
const OWN_LEASES_MAX = 64;

export interface Lifetime {
  readonly lease?: string;
  readonly ttlMs?: number;
}

export class Changes {
  readonly namespace: string;
  /** Of the changes. */
  readonly revision: number;
  readonly #context: Commands;
  readonly #before: NamespaceRow;
  readonly #changed = new Set<string>();
  #keys: number;
  #bytes: number;
  #ownLeases = 0;

  constructor(context: Commands, namespace: string) {
    this.#context = context;
    this.namespace = namespace;
    this.#before = context.tables.namespaces.get(namespace) ?? EMPTY_NAMESPACE;
    this.revision = this.#before.revision + 1;
    this.#keys = this.#before.keys;
    this.#bytes = this.#before.bytes;
  }

  /** For a command of whoever sends it. */
  static by(context: Commands, namespace: string): Changes | ModuleRefusal {
    const { owner, writers = [] } = context.tables.namespaces.get(namespace) ?? EMPTY_NAMESPACE;
    const { sender } = context;
    if (owner === undefined || owner === sender || writers.includes(sender)) {
      return new Changes(context, namespace);
    }
    return refuse('not_writer', 'the namespace is claimed, and the sender is none of its writers');
  }

  /** The revision of the namespace after what was changed so far, if anything was. */
  get reached(): number {
    return this.#changed.size === 0 ? this.#before.revision : this.revision;
  }

  /** What everybody sees at the key now. */
  find(key: string): EntryRow | undefined {
    const row = this.#context.tables.entries.get(this.#rowKey(key));
    return row !== undefined && isThere(this.#context, row) ? row : undefined;
  }

  set(key: string, value: Value, lifetime: Lifetime): EntryRow | ModuleRefusal {
    const refused = this.#change(key) ?? this.#checkLifetime(lifetime);
    if (refused !== null) return refused;
    if (isDeeper(value, VALUE_LEVELS_MAX)) {
      return refuse('value_too_deep', `a value has at most ${VALUE_LEVELS_MAX} levels`);
    }
    const valueBytes = encodeValue(value).length;
    const { valueBytesMax } = limitsOf(this.#context);
    if (valueBytes > valueBytesMax) {
      return refuse('value_too_large', `a value has at most ${valueBytesMax} bytes`);
    }
    const { createRevision, version } = this.find(key) ?? {
      createRevision: this.revision,
      version: 0,
    };
    this.#forget(key);
    const marks = {
      createRevision,
      modRevision: this.revision,
      version: version + 1,
      ...this.#attach(key, lifetime),
    };
    const bytes = utf8Length(key) + valueBytes;
    const row = { value, bytes, ...marks };
    this.#context.tables.entries.set(this.#rowKey(key), row);
    this.#keys++;
    this.#bytes += bytes;
    const shown = valueBytes <= EVENT_VALUE_BYTES_MAX ? { value } : {};
    this.#context.emit('set', { namespace: this.namespace, key, ...shown, ...marks });
    return row;
  }

  /** The key, which must be there, is not there any more. */
  delete(key: string): ModuleRefusal | null {
    const refused = this.#change(key);
    if (refused !== null) return refused;
    this.#remove(key, {});
    return null;
  }

  /** Removes the row of a key whose lease has ended. */
  sweep(key: string): void {
    this.#changed.add(key);
    this.#remove(key, { expired: true });
  }

  /** Counts what was done, when all is done. */
  finish(): ModuleRefusal | null {
    if (this.#changed.size === 0) return null;
    const { keysMax, bytesMax } = limitsOf(this.#context);
    const { keys, bytes } = this.#before;
    if (
      (this.#keys > keysMax && this.#keys > keys) ||
      (this.#bytes > bytesMax && this.#bytes > bytes)
    ) {
      return refuse(
        'namespace_full',
        `a namespace has at most ${keysMax} keys and ${bytesMax} bytes`,
      );
    }
    this.#context.tables.namespaces.set(this.namespace, {
      ...this.#before,
      revision: this.revision,
      keys: this.#keys,
      bytes: this.#bytes,
    });
    return null;
  }

  #rowKey(key: string): string {
    return rowKey({ namespace: this.namespace, key });
  }

  #change(key: string): ModuleRefusal | null {
    if (this.#changed.has(key)) {
      return refuse('duplicate_key', 'a command changes each key only once');
    }
    if (this.#changed.size >= CHANGES_MAX) {
      return refuse('too_many_changes', `a command changes at most ${CHANGES_MAX} keys`);
    }
    this.#changed.add(key);
    return null;
  }

  #checkLifetime({ lease, ttlMs }: Lifetime): ModuleRefusal | null {
    if (ttlMs !== undefined) {
      if (lease !== undefined) return refuse('two_leases', 'give lease or ttlMs, not both');
      if (++this.#ownLeases <= OWN_LEASES_MAX) return null;
      return refuse(
        'too_many_leases',
        `a command gives ttlMs to at most ${OWN_LEASES_MAX} keys: grant one lease to all of them`,
      );
    }
    if (lease === undefined) return null;
    const row = liveLease(this.#context, lease);
    if (row === undefined) return refuse('lease_not_found', 'there is no such lease, or it ended');
    if (row.owner === this.#context.sender) return null;
    return refuse('not_lease_owner', 'only the owner of a lease gives it to keys');
  }

  /** The lease that the key has from now on. */
  #attach(key: string, { lease, ttlMs }: Lifetime): { readonly lease?: string } {
    if (lease !== undefined) return { lease };
    if (ttlMs === undefined) return {};
    const own = this.#rowKey(key);
    addLease(this.#context, own, { owner: this.#context.sender, ttlMs });
    return { lease: own };
  }

  #remove(key: string, how: { readonly expired?: true }): void {
    this.#forget(key);
    this.#context.tables.entries.delete(this.#rowKey(key));
    const { namespace, revision: modRevision } = this;
    this.#context.emit('deleted', { namespace, key, modRevision, ...how });
  }

  /** What the key's row counts for, and the lease of its own, if there are such. */
  #forget(key: string): void {
    const row = this.#context.tables.entries.get(this.#rowKey(key));
    if (row === undefined) return;
    this.#keys--;
    this.#bytes -= row.bytes;
    if (row.lease !== undefined && isOwnLease(row.lease)) dropLease(this.#context, row.lease);
  }
}

/** What `change` does in the namespace, or why nothing. */
export function changing<Result>(
  context: Commands,
  namespace: string,
  change: (changes: Changes) => Result | ModuleRefusal,
): Result | ModuleRefusal {
  const changes = Changes.by(context, namespace);
  if (changes instanceof ModuleRefusal) return changes;
  const result = change(changes);
  if (result instanceof ModuleRefusal) return result;
  return changes.finish() ?? result;
}
