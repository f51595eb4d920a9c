/** What a client asks of the stream, as its query and headers say it. */
import type { Edge } from '../edge/edge.ts';
import { malformed, Problem } from '../edge/problem.ts';
import { filterOf, placeOf, type Wish } from '../edge/stream-wish.ts';
import { EVERY_EVENT, type Wanted } from '../stream/filter.ts';
import { onlyParameters, type Request } from './request.ts';

const PARAMETERS = ['from', 'after', 'modules', 'topics', 'blocks', 'transactions', 'events'];

export async function readWish(edge: Edge, request: Request): Promise<Wish | Problem> {
  const unknown = onlyParameters(request, PARAMETERS);
  if (unknown !== null) return unknown;
  const wanted = wantedOf(request);
  if (wanted instanceof Problem) return wanted;
  const filter = filterOf(edge.catalog, wanted);
  if (filter instanceof Problem) return filter;
  const { headers, query } = request;
  const last = headers.get('last-event-id');
  const start = { after: last ?? query.get('after'), from: query.get('from') };
  const from = await placeOf(edge, start, last === undefined ? 'after' : 'Last-Event-ID');
  return from instanceof Problem ? from : { from, filter };
}

function wantedOf(request: Request): Wanted | Problem {
  const blocks = flag(request, 'blocks', EVERY_EVENT.blocks);
  if (blocks instanceof Problem) return blocks;
  const transactions = flag(request, 'transactions', EVERY_EVENT.transactions);
  if (transactions instanceof Problem) return transactions;
  const events = flag(request, 'events', EVERY_EVENT.events);
  if (events instanceof Problem) return events;
  return {
    blocks,
    transactions,
    events,
    modules: names(request, 'modules'),
    topics: names(request, 'topics'),
  };
}

function flag({ query }: Request, name: string, otherwise: boolean): boolean | Problem {
  const given = query.get(name);
  if (given === undefined) return otherwise;
  if (given === '1' || given === 'true') return true;
  if (given === '0' || given === 'false') return false;
  return malformed('expected 1 or 0', name);
}

/** A list with commas. */
function names({ query }: Request, parameter: string): readonly string[] {
  return query.get(parameter)?.split(',') ?? [];
}
