/**
 * What a client asks of the stream, over whatever transport: from where, and what; and why a node would
 * not tell it.
 */
import type { ModuleCatalog } from '../modules/catalog.ts';
import { Filter, type Wanted } from '../stream/filter.ts';
import type { Refusal } from '../stream/hub.ts';
import { after, type Position } from '../stream/position.ts';
import type { Edge } from './edge.ts';
import { integerField } from './fields.ts';
import { malformed, Problem, unavailable, unprocessable } from './problem.ts';

export interface Wish {
  readonly from: Position;
  readonly filter: Filter;
}

/** Where a client wants to begin: at most one of them counts, the last place that it saw first. */
export interface Start {
  /** The `id` that was seen last. */
  readonly after?: string | undefined;
  /** A height, as a number or decimal text. */
  readonly from?: unknown;
}

const NAMES_MAX = 64;
const RETRY_MS = 5_000;

/**
 * Behind the newest height where the client does not say.
 *
 * @param afterField what the client calls `after`
 */
export async function placeOf(
  edge: Edge,
  { after: last, from }: Start,
  afterField = 'after',
): Promise<Position | Problem> {
  if (last !== undefined) {
    return after(last) ?? malformed('expected the id of an item, such as 12.3 or 12', afterField);
  }
  if (from !== undefined) {
    const height = integerField(from, 'from');
    if (height instanceof Problem) return height;
    return height > 0 ? { height, index: 0 } : malformed('heights begin with 1', 'from');
  }
  const newest = await edge.newestHeight();
  return newest instanceof Problem ? newest : { height: newest + 1, index: 0 };
}

/** A name that is misspelt would be silent for ever: it is refused. */
export function filterOf(catalog: ModuleCatalog, wanted: Wanted): Filter | Problem {
  const problem =
    namesProblem(wanted.modules, 'modules', (name) => moduleProblem(catalog, name, 'modules')) ??
    namesProblem(wanted.topics, 'topics', (name) => topicProblem(catalog, name, 'topics'));
  return problem ?? new Filter(wanted);
}

/** The first thing that is wrong with a list of names that a client gave. */
export function namesProblem(
  names: readonly string[],
  parameter: string,
  problemOf: (name: string) => Problem | null,
): Problem | null {
  if (names.length > NAMES_MAX) return malformed(`at most ${NAMES_MAX} names`, parameter);
  for (const name of names) {
    const problem = problemOf(name);
    if (problem !== null) return problem;
  }
  return null;
}

function moduleProblem(catalog: ModuleCatalog, name: string, parameter: string): Problem | null {
  if (catalog.named(name) !== undefined) return null;
  return unprocessable('unknown_module', `there is no module ${JSON.stringify(name)}`, parameter);
}

function topicProblem(catalog: ModuleCatalog, topic: string, parameter: string): Problem | null {
  const [, module, name] = /^([^.]+)\.([^.]+)$/.exec(topic) ?? [];
  if (module === undefined || name === undefined) {
    return malformed('expected module.event, or module.*', parameter);
  }
  const events = catalog.named(module)?.eventDefinitions;
  if (events === undefined) return moduleProblem(catalog, module, parameter);
  if (name === '*' || Object.hasOwn(events, name)) return null;
  const known = Object.keys(events).join(', ');
  return unprocessable('unknown_event', `${module} has ${known || 'no events'}`, parameter);
}

const REFUSALS: Readonly<Record<Refusal, () => Problem>> = {
  draining: () => unavailable('draining', 'this node is stopping: ask another one', RETRY_MS),
  too_many_streams: () =>
    unavailable('too_many_streams', 'this node has as many streams as it takes', RETRY_MS),
  too_many_streams_of_address: () =>
    new Problem(429, 'too_many_streams', 'too many streams are open from this address', {
      retryAfterMs: RETRY_MS,
    }),
};

/** Why a subscription from that address would be refused now; null when it would not. */
export function streamRefusal({ port }: Edge, address: string): Problem | null {
  const refusal = port.streams.refusal(address);
  return refusal === null ? null : REFUSALS[refusal]();
}
