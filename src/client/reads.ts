/** Reads of what is final, from whichever node answers, as that node says it. */
import { parseMsgpack } from '../edge/strict-msgpack.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { ask, isRefusal, type Taken } from './asking.ts';
import { AlthingError } from './errors.ts';
import { problemOf, type NodeAnswer, type NodeRequest, type Nodes } from './nodes.ts';

/**
 * Whom an answer is believed: `proof`, what the validators certify, which is known with the next
 * checkpoint, some tenths of a second later; or `node`, whichever answers, at once.
 */
export type Trust = 'proof' | 'node';

export interface ReadOptions {
  /** `linearizable`: reflects all that was final anywhere when the read began. */
  readonly consistency?: 'finalized' | 'linearizable';
  /** The state as it was at this height: read with `trust: 'node'`. */
  readonly atHeight?: number;
  /** `proof` where the client knows the validators. */
  readonly trust?: Trust;
  /** Of a proved read: the least executed height; without it, the highest that the client has seen. */
  readonly minHeight?: number;
  /** Of a proved read: how old, by the time of its block, it may be in milliseconds. */
  readonly maxAgeMs?: number;
  /** How long nodes are asked, in milliseconds: 30,000 without it. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export interface Answer<Result = Value> {
  /** The executed height that the result reflects. */
  readonly height: number;
  readonly result: Result;
  /**
   * Of a proved answer. False when rows of a range may be missing: of a page it is proved that its rows are
   * there, and not that they are all.
   */
  readonly isComplete?: boolean;
}

export const MSGPACK_TYPE = 'application/msgpack';
export const READ_PATIENCE_MS = 30_000;

export type Parameters = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** Those that are given, as the text that stands in the address. */
export function spelled(parameters: Parameters): Readonly<Record<string, string>> {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** `/path?name=value…` without those that are undefined. */
export function pathWith(path: string, parameters: Parameters): string {
  const query = Object.entries(spelled(parameters))
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&');
  return query === '' ? path : `${path}?${query}`;
}

/** GET, answered in msgpack. */
export function reading(path: string, parameters: Parameters = {}): NodeRequest {
  return { method: 'GET', path: pathWith(path, parameters), headers: { accept: MSGPACK_TYPE } };
}

/** Throws AlthingError: what a node refuses, or `no_answer` when none answered in time. */
export async function read<Result>(
  nodes: Nodes,
  path: string,
  parameters: Parameters,
  options: ReadOptions,
): Promise<Answer<Result>> {
  const { consistency, atHeight, patienceMs = READ_PATIENCE_MS, signal } = options;
  const request = reading(path, { ...parameters, consistency, atHeight });
  return ask(nodes, request, { ms: patienceMs, signal, refusals: 1 }, (answer) =>
    answerIn<Result>(answer),
  );
}

/** Of a query that was asked for in msgpack, as the node says it. */
export function answerIn<Result>(answer: NodeAnswer): Taken<Answer<Result>> {
  if (answer.status !== 200) return notTaken(answer);
  const parsed = parsedAnswer(answer);
  const height = Number(answer.headers.get('x-althing-height') ?? 0);
  if (parsed === null || !Number.isSafeInteger(height) || height < 0) return unreadable();
  return { kind: 'holds', value: { height, result: parsed.value as Result } };
}

/** Of a hundred bytes each at most: an empty map takes one byte, and an object. */
const VALUES_MAX = 1_000_000;

/** Null when it is not msgpack, or has too many values. */
export function parsedAnswer({ body }: NodeAnswer): { readonly value: unknown } | null {
  const parsed = parseMsgpack(body, VALUES_MAX);
  return 'value' in parsed ? parsed : null;
}

export function unreadable(): Taken<never> {
  return { kind: 'unfit', error: new AlthingError('bad_answer', 'what a node says is no answer') };
}

/** An answer that is none, by its status. */
export function notTaken(answer: NodeAnswer): Taken<never> {
  const error = problemOf(answer);
  return isRefusal(answer.status)
    ? { kind: 'refused', error, isProved: false }
    : { kind: 'unfit', error };
}
