/** What a route is given and what it gives back: plain values, so that routes know no sockets. */
import { malformed, Problem } from '../edge/problem.ts';
import type { Exchange, Header } from './exchange.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  /** The decoded segments that the route's pattern left open, in order. */
  readonly params: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  /** Whole, and the route's own. Empty where the route takes none. */
  readonly body: Uint8Array;
}

export interface Reply {
  readonly status: number;
  /** Goes out as it is. */
  readonly body: string | Uint8Array;
  readonly contentType: string;
  readonly headers?: readonly Header[];
  /** Executed height that the answer reflects, when it is another than the newest. */
  readonly height?: number;
}

/** An answer that goes on: the route takes the exchange, and answers it itself. */
export class Takeover {
  /** Of the answer, unless it is refused. */
  readonly status: number;
  /** Is given the headers that every answer carries. Problem when it has not answered, and will not. */
  readonly take: (exchange: Exchange, headers: readonly Header[]) => Problem | null;

  constructor(status: number, take: Takeover['take']) {
    this.status = status;
    this.take = take;
  }
}

export const JSON_TYPE = 'application/json';
export const PROBLEM_TYPE = 'application/problem+json';

export function json(value: unknown, status = 200, more: Partial<Reply> = {}): Reply {
  return { status, body: JSON.stringify(value), contentType: JSON_TYPE, ...more };
}

/** Percent-decodes one path segment; null when it is not valid UTF-8 in valid escapes. */
export function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

const NO_QUERY: ReadonlyMap<string, string> = new Map();

/** Query parameters, each at most once. */
export function parseQuery(query: string): ReadonlyMap<string, string> | Problem {
  if (query === '') return NO_QUERY;
  const parsed = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const mark = part.indexOf('=');
    const name = decodeForm(mark < 0 ? part : part.slice(0, mark));
    const value = mark < 0 ? '' : decodeForm(part.slice(mark + 1));
    if (name === null || value === null) {
      return malformed('not percent-encoded UTF-8', 'query');
    }
    if (parsed.has(name)) return malformed('stands twice in the query', name);
    parsed.set(name, value);
  }
  return parsed;
}

function decodeForm(text: string): string | null {
  return decodeSegment(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/** Refuses parameters that the route does not know: a typo must not pass for a default. */
export function onlyParameters(request: Request, known: readonly string[]): Problem | null {
  for (const name of request.query.keys()) {
    if (known.includes(name)) continue;
    const list = known.length === 0 ? 'this route takes none' : `known are ${known.join(', ')}`;
    return new Problem(400, 'unknown_parameter', `unknown query parameter; ${list}`, {
      field: name,
    });
  }
  return null;
}
