/**
 * One question to node after node, until an answer holds.
 *
 * X2. A refusal is believed when it is proved, or when f + 1 nodes give it, or all that there are: one of
 *     them is honest. That a height is not there is believed when all say so, for each node keeps its own.
 *     A node that lies can delay an answer, but neither hide that a submission executed nor make it
 *     seem to.
 */
import { AlthingError } from './errors.ts';
import { attempts } from './hedging.ts';
import type { NodeAnswer, NodeRequest, Nodes } from './nodes.ts';
import { Said } from './said.ts';
import { within } from './waiting.ts';

/** What an answer is worth. */
export type Taken<T> =
  | { readonly kind: 'holds'; readonly value: T }
  /** The question gets no other answer: as proved, or as this node says. */
  | { readonly kind: 'refused'; readonly error: AlthingError; readonly isProved: boolean }
  /** Not from this node, or not now. */
  | { readonly kind: 'unfit'; readonly error: AlthingError };

export interface Patience {
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** How many nodes have to refuse alike. */
  readonly refusals: number;
}

/**
 * Asks until an answer holds or is a refusal that is believed. Throws the AlthingError of the refusal; when
 * patience ends one with the code of the last answer, or `no_answer`, that tells what each node said.
 */
export function ask<T>(
  nodes: Nodes,
  request: NodeRequest,
  { ms, signal, refusals }: Patience,
  take: (answer: NodeAnswer) => Taken<T> | Promise<Taken<T>>,
): Promise<T> {
  return within(ms, signal, async (bound) => {
    const refused = new Refusals(nodes, refusals);
    const said = new Said(nodes);
    const one = (node: number, end: AbortSignal): Promise<NodeAnswer | null> =>
      nodes.ask(node, request, end);
    const answers = attempts(nodes, request.method, bound, one);
    for await (const { node, result: answer, ms: tookMs } of answers) {
      if (answer === null) continue;
      const taken = await take(answer);
      if (taken.kind === 'holds') {
        nodes.prefer(node, request.method, tookMs);
        return taken.value;
      }
      said.add(node, taken.error);
      if (taken.kind === 'unfit') nodes.distrust(node);
      else if (taken.isProved || refused.areEnough(node, taken.error)) throw taken.error;
    }
    throw inVain(said, request);
  });
}

/** With the code of what was said last. */
function inVain({ last, text }: Said, { method, path }: NodeRequest): AlthingError {
  const [what = ''] = path.split('?');
  if (last === null) {
    return new AlthingError('no_answer', `no node answered ${method} ${what}: ${text}`);
  }
  return new AlthingError(last.code, text, last.status, last.field);
}

/** These say that this node cannot answer now, and nothing of the question. */
const NOT_NOW = new Set([408, 425, 429]);

export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && !NOT_NOW.has(status);
}

/** With this a node says that a submission waits there, and so nothing of its outcome. */
const UNDER_WAY = 'in_progress';

/** Whether a submission is refused for good. */
export function isFinalRefusal({ status, code }: AlthingError): boolean {
  return isRefusal(status) && code !== UNDER_WAY;
}

/** One node has forgotten a height, or not executed it yet, and another may answer. */
const OF_ONE_NODE = new Set(['height_ahead', 'height_pruned']);

/** Which nodes have refused, by the code that they gave. */
export class Refusals {
  readonly #all: number;
  readonly #enough: number;
  readonly #nodes = new Map<string, Set<number>>();

  /** `enough`: how many nodes have to refuse alike, or all if there are fewer. */
  constructor({ count }: Nodes, enough: number) {
    this.#all = count;
    this.#enough = Math.min(count, enough);
  }

  areEnough(node: number, { code }: AlthingError): boolean {
    const nodes = this.#nodes.get(code) ?? new Set();
    this.#nodes.set(code, nodes.add(node));
    return nodes.size >= (OF_ONE_NODE.has(code) ? this.#all : this.#enough);
  }
}
