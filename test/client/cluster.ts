/** One real node that answers under several addresses, each of which may fail or lie. */
import type { ExecutionContext } from 'ava';
import { Client, type ClientOptions } from '../../src/client/client.ts';
import { submissionId } from '../../protocols/transaction/submission.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { BINDINGS, start, type Started } from '../http/start.ts';
import { client as signer } from '../http/test-node.ts';

/** What an address does instead of asking the node; null to ask it. */
export type Behaviour = (
  path: string,
  ask: (path?: string) => Promise<Response>,
  /** The submission that was sent last. */
  lastBody: { readonly id: string },
) => Promise<Response> | Response | null;

export interface Addressed extends Started {
  readonly urls: readonly string[];
  /** Requests by address. */
  readonly asked: number[];
  readonly fetch: typeof fetch;
  /** The submission that was sent last. */
  readonly lastBody: { id: string };
  connect(options?: Partial<ClientOptions>): Promise<Client>;
}

export async function addressed(
  t: ExecutionContext,
  behaviours: readonly (Behaviour | null)[],
  options: Parameters<typeof start>[2] = {},
): Promise<Addressed> {
  const started = await start(t, BINDINGS[0]!, options);
  const urls = behaviours.map((_, at) => `http://node-${at}.test`);
  const asked = urls.map(() => 0);
  const lastBody = { id: '' };
  const fetchOne = async (input: string, init?: RequestInit): Promise<Response> => {
    const at = urls.findIndex((url) => input.startsWith(`${url}/`));
    asked[at]!++;
    const path = input.slice(urls[at]!.length);
    const ask = (asked = path): Promise<Response> => fetch(`${started.url}${asked}`, init);
    if (init?.method === 'POST') lastBody.id = idOf(init.body as Uint8Array);
    return (await behaviours[at]?.(path, ask, lastBody)) ?? ask();
  };
  // A fetch that hangs ends with its signal, as the real one does.
  const ending = async (input: string, init?: RequestInit): Promise<Response> => {
    const { signal } = init ?? {};
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      fetchOne(input, init).then(resolve, reject);
    });
  };
  const given = ending as unknown as typeof fetch;
  return {
    ...started,
    urls,
    asked,
    lastBody,
    fetch: given,
    connect: (options = {}) =>
      Client.connect({ urls, fetch: given, crypto: nodeCrypto, signer, ...options }),
  };
}

const idOf = (submission: Uint8Array): string =>
  submissionId(nodeCrypto, submission.subarray(0, submission.length - 64));

/** What a client is given that trusts nobody. */
export function known({ cluster }: Started['port']): Pick<ClientOptions, 'genesis'> {
  return { genesis: cluster.genesis };
}

export function problem(status: number, code: string): Response {
  return new Response(JSON.stringify({ code, detail: `it says ${code}` }), { status });
}

/**
 * Ends who asks for a proof so many times in vain: the signal that it is to be given, and what its
 * address does.
 */
export function endingAfter(
  questions: number,
  behaviour: Behaviour | null = null,
): { readonly ending: Behaviour; readonly signal: AbortSignal } {
  const ends = new AbortController();
  let left = questions;
  const ending: Behaviour = (path, ask, lastBody) => {
    if (path.includes('proof=1') && left-- === 0) ends.abort();
    return behaviour?.(path, ask, lastBody) ?? null;
  };
  return { ending, signal: ends.signal };
}

export const isWrite = (path: string): boolean => path.startsWith('/api/v11/transactions');
