/** Submissions as a client posts them. */
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Started } from './start.ts';
import { API_TOKEN, client, type TestPort } from './test-node.ts';

export const PATH = '/api/v11/transactions';
export const SUBMISSION = 'application/vnd.althing.submission';
export const MSGPACK = 'application/msgpack';
export const JSON_TYPE = 'application/json';
export const bearer = { authorization: `Bearer ${API_TOKEN}` };

export interface Receipt {
  readonly id: string;
  readonly status: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string };
}

export interface Answer {
  readonly id: Digest;
  readonly height: number;
  readonly exactlyOnce: boolean;
  readonly receipts: readonly Receipt[];
}

export interface ProblemBody {
  readonly code: string;
  readonly field?: string;
  readonly id?: string;
  readonly statusUrl?: string;
}

export const set = (key: string, value: string | number = 'v'): Call => ({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key, value },
});
export const pay = (amount: number): Call => ({
  module: 'ledger',
  command: 'transfer',
  args: { from: 'alice', to: 'bob', amount },
});

export function content(port: TestPort, seq: number, transactions: readonly Call[]) {
  return {
    kind: 'client',
    clusterId: port.cluster.id,
    key: client.publicKey,
    seq,
    validUntil: Date.now() + 60_000,
    transactions,
  } as const;
}

export function signed(port: TestPort, seq: number, transactions: readonly Call[]): Uint8Array {
  return signSubmission(content(port, seq, transactions), client);
}

export function post(
  { url }: Started,
  body: unknown,
  headers: Record<string, string> = {},
  query = '',
): Promise<Response> {
  const bytes = body instanceof Uint8Array ? body : JSON.stringify(body);
  return fetch(url + PATH + query, {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE, ...headers },
    body: bytes,
  });
}

export const problem = async (answer: Response): Promise<ProblemBody> =>
  (await answer.json()) as ProblemBody;
