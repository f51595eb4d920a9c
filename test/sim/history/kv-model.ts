/** The store: a model of etcd for each namespace, and who may write it. Leases are used in one of them. */
import { compareText, encodeValue, type Value } from '../../../protocols/transaction/values.ts';
import { EtcdModel, type Comparison, type Op } from '../../modules/kv/etcd-model.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, ModuleModel } from './model.ts';

/** The namespace whose keys may have leases. */
export const LEASED = 'sim';

interface Space {
  readonly etcd: EtcdModel;
  owner: string | null;
  writers: readonly string[];
}

const isSame = (a: Value, b: Value): boolean =>
  Buffer.compare(encodeValue(a), encodeValue(b)) === 0;

export class KvModel implements ModuleModel {
  readonly #spaces = new Map<string, Space>();
  #time = 0;

  startBlock({ time }: { readonly time: number }): null {
    this.#time = time;
    for (const { etcd } of this.#spaces.values()) etcd.goTo(time);
    return null;
  }

  run(command: string, args: Args, { sender }: Asking): Value | undefined {
    const { namespace = LEASED } = args as { readonly namespace?: string };
    const space = this.#space(namespace);
    const { etcd } = space;
    if (command === 'claim') return this.#claim(space, args, sender);
    if (command === 'release') return this.#release(space, sender);
    const isLease =
      command === 'grantLease' || command === 'keepAlive' || command === 'revokeLease';
    const isWriter = space.owner === null || space.owner === sender;
    if (!isLease && !isWriter && !space.writers.includes(sender)) throw new Refused('not_writer');
    etcd.sender = sender;
    const done = etcd.do(() =>
      isLease ? lease(etcd, command, args) : change(etcd, command, args),
    );
    if (typeof done === 'string') throw new Refused(done);
    return done as Value;
  }

  answer(query: string, args: Args, time: number): Value {
    const { namespace = LEASED, key } = args as { readonly namespace?: string; key: string };
    const { etcd, owner } = this.#space(namespace);
    const { revision } = etcd;
    switch (query) {
      case 'get': {
        const held = etcd.keys.get(key);
        if (held === undefined) throw new Refused('key_not_found');
        return { namespace, ...held };
      }
      case 'list': {
        const entries = [...etcd.keys.values()].toSorted((a, b) => compareText(a.key, b.key));
        return { entries, revision, next: null } as unknown as Value;
      }
      case 'namespace':
        return { revision, keys: etcd.keys.size, owner };
      case 'leases': {
        const leases = [...etcd.leases].map(([id, each]) => ({
          lease: id,
          owner: each.owner,
          ttlMs: each.ttlMs,
          remainingMs: each.endsAt - time,
        }));
        return { leases: leases.toSorted((a, b) => compareText(a.lease, b.lease)), next: null };
      }
      default:
        throw new Error(`the model has no query ${query}`);
    }
  }

  #space(namespace: string): Space {
    let space = this.#spaces.get(namespace);
    if (space === undefined) {
      space = { etcd: new EtcdModel(namespace), owner: null, writers: [] };
      space.etcd.goTo(this.#time);
      this.#spaces.set(namespace, space);
    }
    return space;
  }

  #claim(space: Space, { writers = [] }: Args, sender: string): undefined {
    if (space.owner !== null && space.owner !== sender) throw new Refused('not_owner');
    if (space.owner === null && space.etcd.keys.size > 0) throw new Refused('namespace_in_use');
    space.owner = sender;
    space.writers = writers as readonly string[];
  }

  #release(space: Space, sender: string): undefined {
    if (space.owner === null) throw new Refused('not_claimed');
    if (space.owner !== sender) throw new Refused('not_owner');
    space.owner = null;
    space.writers = [];
  }
}

function lease(etcd: EtcdModel, command: string, args: Args): Value {
  const { lease: id, ttlMs } = args as { readonly lease: string; readonly ttlMs: number };
  if (command === 'revokeLease') {
    const before = etcd.keys.size;
    etcd.revoke(id);
    return { deleted: before - etcd.keys.size, more: false };
  }
  if (command === 'grantLease') etcd.grant(id, ttlMs);
  else etcd.keepAlive(id);
  const { ttlMs: lasts, endsAt } = etcd.leases.get(id)!;
  return { lease: id, ttlMs: lasts, deadline: endsAt };
}

function change(etcd: EtcdModel, command: string, args: Args): Value {
  const { key, ifRevision } = args as { readonly key: string; readonly ifRevision?: number };
  const held = etcd.keys.get(key);
  const { namespace: _, ifRevision: __, expected, ...set } = args;
  if (ifRevision !== undefined && ifRevision !== (held?.modRevision ?? 0)) {
    throw new Refused('revision_mismatch');
  }
  switch (command) {
    case 'set':
      return etcd.set(set as never);
    case 'delete':
      if (etcd.delete(key) === 0) throw new Refused('key_not_found');
      return { revision: etcd.revision + 1, deleted: 1 };
    case 'compareAndSet':
      if (held === undefined || expected === undefined) {
        if (held?.value !== expected) throw new Refused('value_mismatch');
      } else if (!isSame(held.value, expected)) throw new Refused('value_mismatch');
      return etcd.set(set as never);
    case 'batch': {
      const { revision, results } = etcd.txn([], args['ops'] as never, []) as Args;
      return { revision, results } as Value;
    }
    case 'txn': {
      const { compare, success, failure } = args as unknown as {
        readonly compare: readonly Comparison[];
        readonly success: readonly Op[];
        readonly failure: readonly Op[];
      };
      return etcd.txn(compare, success, failure) as Value;
    }
    default:
      throw new Error(`the model has no command ${command}`);
  }
}
