/** What a client asks of the stream, as its query and headers say it: from where, and what. */
import type { Edge } from '../edge/edge.ts';
import { integerField } from '../edge/fields.ts';
import { malformed, Problem, unprocessable } from '../edge/problem.ts';
import type { ModuleCatalog } from '../modules/catalog.ts';
import { EVERY_EVENT, Filter } from '../stream/filter.ts';
import { after, type Position } from '../stream/position.ts';
import { onlyParameters, type Request } from './request.ts';

const PARAMETERS = ['from', 'after', 'modules', 'topics', 'blocks', 'transactions', 'events'];
const NAMES_MAX = 64;

export interface Wish {
  readonly from: Position;
  readonly filter: Filter;
}

export async function readWish(edge: Edge, request: Request): Promise<Wish | Problem> {
  const unknown = onlyParameters(request, PARAMETERS);
  if (unknown !== null) return unknown;
  const filter = filterOf(edge, request);
  if (filter instanceof Problem) return filter;
  const from = await placeOf(edge, request);
  return from instanceof Problem ? from : { from, filter };
}

/** Where the client wants to begin; behind the newest height where it does not say. */
async function placeOf(edge: Edge, { headers, query }: Request): Promise<Position | Problem> {
  const from = query.get('from');
  const last = headers.get('last-event-id') ?? query.get('after');
  if (last !== undefined) {
    const field = headers.has('last-event-id') ? 'Last-Event-ID' : 'after';
    return after(last) ?? malformed('expected the id of an item, such as 12.3 or 12', field);
  }
  if (from !== undefined) {
    const height = integerField(from, 'from');
    if (height instanceof Problem) return height;
    return height > 0 ? { height, index: 0 } : malformed('heights begin with 1', 'from');
  }
  const newest = await edge.newestHeight();
  return newest instanceof Problem ? newest : { height: newest + 1, index: 0 };
}

function filterOf({ catalog }: Edge, request: Request): Filter | Problem {
  const blocks = flag(request, 'blocks', EVERY_EVENT.blocks);
  if (blocks instanceof Problem) return blocks;
  const transactions = flag(request, 'transactions', EVERY_EVENT.transactions);
  if (transactions instanceof Problem) return transactions;
  const events = flag(request, 'events', EVERY_EVENT.events);
  if (events instanceof Problem) return events;
  const modules = names(request, 'modules', moduleProblem.bind(null, catalog));
  if (modules instanceof Problem) return modules;
  const topics = names(request, 'topics', topicProblem.bind(null, catalog));
  if (topics instanceof Problem) return topics;
  return new Filter({ blocks, transactions, events, modules, topics });
}

function flag({ query }: Request, name: string, otherwise: boolean): boolean | Problem {
  const given = query.get(name);
  if (given === undefined) return otherwise;
  if (given === '1' || given === 'true') return true;
  if (given === '0' || given === 'false') return false;
  return malformed('expected 1 or 0', name);
}

/** A list with commas. A name that is misspelt would be silent for ever: it is refused. */
function names(
  { query }: Request,
  parameter: string,
  problemOf: (name: string, parameter: string) => Problem | null,
): readonly string[] | Problem {
  const given = query.get(parameter);
  if (given === undefined) return [];
  const list = given.split(',');
  if (list.length > NAMES_MAX) return malformed(`at most ${NAMES_MAX} names`, parameter);
  for (const name of list) {
    const problem = problemOf(name, parameter);
    if (problem !== null) return problem;
  }
  return list;
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
