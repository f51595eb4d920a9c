/**
 * Finds the route for a method and a path. A pattern is a path whose segments may be `:name` (one
 * segment) and whose last may be `*` (one or more). A path written out beats one with open segments.
 */
import { malformed, Problem } from '../edge/problem.ts';
import type { Operation } from './operation.ts';
import { decodeSegment, type Reply, type Request, type Takeover } from './request.ts';

export type Answer = Reply | Problem | Takeover;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Most bytes of the request's body; absent where the route reads none. */
  readonly bodyBytesMax?: number;
  /** What the OpenAPI document says of it; null for a route that only says why it is none. */
  readonly operation: Operation | null;
  handle(request: Request): Answer | Promise<Answer>;
}

export interface Found {
  readonly route: Route;
  readonly params: readonly string[];
}

interface Pattern {
  readonly segments: readonly string[];
  readonly routes: Map<string, Route>;
}

const NO_PARAMS: readonly string[] = [];

export class Router {
  readonly #fixed = new Map<string, Map<string, Route>>();
  readonly #open: Pattern[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#routesAt(route.path).set(route.method, route);
  }

  #routesAt(path: string): Map<string, Route> {
    if (!/\/[:*]/.test(path)) {
      const routes = this.#fixed.get(path) ?? new Map<string, Route>();
      this.#fixed.set(path, routes);
      return routes;
    }
    const segments = path.split('/');
    const known = this.#open.find((pattern) => pattern.segments.join('/') === path);
    const pattern = known ?? { segments, routes: new Map<string, Route>() };
    if (known === undefined) this.#open.push(pattern);
    return pattern.routes;
  }

  find(method: string, path: string): Found | Problem {
    const routes = this.#fixed.get(path);
    if (routes !== undefined) return pick(routes, method, path, NO_PARAMS);
    const segments = path.split('/');
    for (const pattern of this.#open) {
      const raw = match(pattern.segments, segments);
      if (raw === null) continue;
      const params = raw.map(decodeSegment);
      const whole = params.filter((param) => param !== null);
      if (whole.length < params.length) return malformed('not percent-encoded UTF-8', 'path');
      return pick(pattern.routes, method, path, whole);
    }
    return new Problem(404, 'unknown_route', `nothing is served at ${clip(path)}; see GET /`);
  }
}

function pick(
  routes: ReadonlyMap<string, Route>,
  method: string,
  path: string,
  params: readonly string[],
): Found | Problem {
  const route = routes.get(method === 'HEAD' ? 'GET' : method);
  if (route !== undefined) return { route, params };
  const allowed = [...routes.keys()].flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
  return new Problem(405, 'method_not_allowed', `${clip(path)} takes ${allowed.join(', ')}`, {
    headers: [['allow', allowed.join(', ')]],
  });
}

function match(pattern: readonly string[], segments: readonly string[]): string[] | null {
  const rest = pattern.at(-1) === '*';
  if (rest ? segments.length < pattern.length : segments.length !== pattern.length) return null;
  const params: string[] = [];
  for (const [at, segment] of segments.entries()) {
    const expected = pattern[at] ?? '*';
    if (expected === '*' || expected.startsWith(':')) {
      if (segment === '') return null;
      params.push(segment);
    } else if (expected !== segment) return null;
  }
  return params;
}

function clip(path: string): string {
  return path.length > 80 ? `${path.slice(0, 80)}…` : path;
}
