/** Submissions as a client posts them. */
import { setTimeout as pause } from 'node:timers/promises';
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
  readonly detail?: string;
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

interface OnPort {
  readonly port: TestPort;
}

/** One block with one submission of these transactions; its height. */
export async function block({ port }: OnPort, seq: number, ...calls: Call[]): Promise<number> {
  const result = await port.submit(signed(port, seq, calls));
  if (!result.ok || result.receipts === null) throw new Error(JSON.stringify(result));
  return result.receipts.height;
}

/** At most so many blocks, half a megabyte each, until who takes nothing of the stream is closed; the last height. */
export async function outrun({ port }: OnPort, blocks: number): Promise<number> {
  const key = (seq: number, at: number): string => `${seq}-${at}-`.padEnd(500, 'x');
  let height = 0;
  const isClosed = (): boolean => port.streams.figures().closedSlow > 0;
  for (let seq = 1; seq <= blocks && !isClosed(); seq++) {
    const calls = Array.from({ length: 1_000 }, (_, at) => set(key(seq, at)));
    height = await block({ port }, seq, ...calls);
  }
  while (!isClosed()) await pause(10);
  return height;
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
