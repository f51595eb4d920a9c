/**
 * The ways in which a client asks a cluster for something of a key, and what an answer tells of it.
 *
 * D1. `refused`: it did not happen and will not, as the answer says or nobody can have heard it. Whatever
 *     else is no answer is `unknown`.
 */
import { AlthingError, TransactionFailed } from '../../src/client/errors.ts';
import type { Client } from '../../src/client/client.ts';
import type { Random } from '../random.ts';
import type { Asked, Told } from './register.ts';

/** What an answer tells; writes that executed have their place in the chain, where the door hears it. */
export type Heard =
  | { readonly kind: 'told'; readonly told: Told; readonly place?: Place }
  | { readonly kind: 'refused' | 'unknown'; readonly why: string };

export interface Place {
  readonly height: number;
  readonly index: number;
}

export type Door = (key: string, asked: Asked) => Promise<Heard>;

export const NAMESPACE = 'histories';
/** Of one request; a read that waits for a quorum takes 3 s at most. */
const ATTEMPT_MS = 5_000;
/** How long a node may wait with its answer to a write. */
const WAIT_MS = 4_000;

/** What a command is refused with because of the key's state. */
const MISSED: ReadonlySet<string> = new Set(['value_mismatch', 'key_not_found']);
const done = (isDone: boolean): Told => ({ kind: 'done', done: isDone });

const COMMANDS = { put: 'set', cas: 'compareAndSet', delete: 'delete' } as const;

/** Signed here, sent by the client library to whichever nodes answer; reads are linearizable. */
export function signedDoor(client: Client): Door {
  return async (key, asked) => {
    try {
      const at = { namespace: NAMESPACE, key };
      if (asked.kind === 'get') {
        const options = {
          consistency: 'linearizable',
          trust: 'node',
          patienceMs: ATTEMPT_MS,
        } as const;
        const { result } = await client.query<{ value: number }>('kv', 'get', at, options);
        return { kind: 'told', told: { kind: 'read', value: result.value } };
      }
      const { kind, ...args } = asked;
      const call = { module: 'kv', command: COMMANDS[kind], args: { ...at, ...args } };
      const { receipts } = await client.submit([call]);
      const { error, height, index } = receipts[0]!;
      if (error !== undefined && !MISSED.has(error.code))
        throw new AlthingError(error.code, error.message);
      return { kind: 'told', told: done(error === undefined), place: { height, index } };
    } catch (error) {
      return heardFrom(error, asked);
    }
  };
}

function heardFrom(error: unknown, asked: Asked): Heard {
  if (!(error instanceof AlthingError)) throw error;
  const { code, message } = error;
  if (asked.kind === 'get' && code === 'key_not_found') {
    return { kind: 'told', told: { kind: 'read', value: null } };
  }
  const isOver = code === 'expired' && !(error instanceof TransactionFailed);
  return { kind: isOver ? 'refused' : 'unknown', why: `${code}: ${message}` };
}

export interface HttpOptions {
  readonly urls: readonly string[];
  readonly token: string;
  readonly random: Random;
  /** How many nodes are asked at most, with one `Idempotency-Key`; with 1 there is none. */
  readonly attempts: number;
}

/** Plain HTTP, signed by the node: any node is asked, and perhaps others after it. */
export function httpDoor({ urls, token, random, attempts }: HttpOptions): Door {
  return async (key, asked) => {
    const once = attempts > 1 ? { 'idempotency-key': `${random.next()}-${random.next()}` } : {};
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...once,
    };
    let heard: Heard = { kind: 'refused', why: 'nobody was asked' };
    let isUnknown = false;
    for (const url of random.shuffle(urls).slice(0, attempts)) {
      heard = await ask(url, key, asked, headers);
      if (heard.kind === 'told') return heard;
      isUnknown ||= heard.kind === 'unknown';
    }
    return isUnknown ? { ...heard, kind: 'unknown' } : heard;
  };
}

async function ask(
  url: string,
  key: string,
  asked: Asked,
  headers: Readonly<Record<string, string>>,
): Promise<Heard> {
  const { path, ...request } = requestFor(key, asked);
  try {
    const signal = AbortSignal.timeout(ATTEMPT_MS);
    const answer = await fetch(url + path, { ...request, headers, signal });
    return heardIn(asked, answer.status, await answer.text());
  } catch (error) {
    const cause =
      error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    const isUnheard = cause?.code === 'ECONNREFUSED';
    return { kind: isUnheard ? 'refused' : 'unknown', why: cause?.code ?? String(error) };
  }
}

function requestFor(key: string, asked: Asked): { path: string; method: string; body?: string } {
  const path = `/api/v11/kv/${NAMESPACE}/${key}`;
  const wait = `timeoutMs=${WAIT_MS}`;
  switch (asked.kind) {
    case 'get':
      return { path: `${path}?consistency=linearizable`, method: 'GET' };
    case 'put':
      return { path: `${path}?${wait}`, method: 'PUT', body: JSON.stringify(asked.value) };
    case 'delete':
      return { path: `${path}?${wait}`, method: 'DELETE' };
    case 'cas': {
      const { expected, value } = asked;
      const body = JSON.stringify({ namespace: NAMESPACE, key, expected, value });
      return { path: `/api/v11/kv/compareAndSet?${wait}`, method: 'POST', body };
    }
  }
}

/** Refusals of a node that has not taken the request. */
const NOT_TAKEN: ReadonlySet<string> = new Set([
  'lane_full',
  'overloaded',
  'catching_up',
  'draining',
  'no_quorum',
  'log_unwritable',
]);

function heardIn(asked: Asked, status: number, text: string): Heard {
  if (status === 200) {
    const told: Told =
      asked.kind === 'get'
        ? { kind: 'read', value: (JSON.parse(text) as { value: number }).value }
        : done(true);
    return { kind: 'told', told };
  }
  const { code = '' } = JSON.parse(text) as { code?: string };
  if (MISSED.has(code)) {
    return {
      kind: 'told',
      told: asked.kind === 'get' ? { kind: 'read', value: null } : done(false),
    };
  }
  if (status < 500 && status !== 409) throw new Error(`${status} ${text}`);
  return { kind: NOT_TAKEN.has(code) ? 'refused' : 'unknown', why: `${status} ${code}` };
}
