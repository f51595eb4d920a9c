/** Reads of what is final, from whichever node answers. */
import { Unpackr } from 'msgpackr';
import type { Value } from '../../protocols/transaction/values.ts';
import { AlthingError } from './errors.ts';
import { problemOf, within, type NodeAnswer, type Nodes } from './nodes.ts';

export interface ReadOptions {
  /** `linearizable`: reflects all that was final anywhere when the read began. */
  readonly consistency?: 'finalized' | 'linearizable';
  /** The state as it was at this height. */
  readonly atHeight?: number;
  readonly signal?: AbortSignal;
}

export interface Answer<Result = Value> {
  /** The executed height that the result reflects. */
  readonly height: number;
  readonly result: Result;
}

export const MSGPACK_TYPE = 'application/msgpack';
const READ_PATIENCE_MS = 30_000;
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'bigint' });

export type Parameters = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** `/path?name=value…` without those that are undefined. */
export function pathWith(path: string, parameters: Parameters): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  if (given.length === 0) return path;
  const texts = given.map(([name, value]): [string, string] => [name, String(value)]);
  return `${path}?${new URLSearchParams(texts).toString()}`;
}

/** Throws AlthingError: what a node refuses, or `no_answer` when none answered in time. */
export async function read(
  nodes: Nodes,
  path: string,
  { consistency, atHeight, signal }: ReadOptions,
  accept = MSGPACK_TYPE,
): Promise<NodeAnswer> {
  const patience = within(READ_PATIENCE_MS, signal);
  const joined = path.includes('?') ? '&' : '?';
  const options = pathWith('', { consistency, atHeight });
  const whole = options === '' ? path : path + joined + options.slice(1);
  let last: AlthingError | null = null;
  for await (const node of nodes.turns(patience)) {
    const answer = await nodes.ask(
      node,
      { method: 'GET', path: whole, headers: { accept } },
      patience,
    );
    if (answer === null) continue;
    if (answer.status === 200) return answer;
    last = problemOf(answer);
    if (answer.status < 500 && answer.status !== 429) throw last;
  }
  throw last ?? new AlthingError('no_answer', `no node answered GET ${path}`);
}

export function resultOf<Result>(answer: NodeAnswer): Answer<Result> {
  const result = unpackr.unpack(answer.body) as Result;
  return { height: Number(answer.headers.get('x-althing-height') ?? 0), result };
}
