/**
 * The HTTP edge: takes exchanges from a binding, finds their route, reads the body, and writes one
 * answer with the headers that every answer carries. Routes decide everything else.
 *
 * H4. Every exchange gets exactly one answer, whatever its route does: a route that throws is our
 *     bug, is logged with its stack, and shows the client a 500 that says nothing of it.
 * H5. `close` answers what is in flight, within a bound, before it closes connections.
 * H7. What may change state runs when the turn that read its request is over. By then a binding has
 *     closed a connection on which it could not be answered, so that nothing runs for nobody.
 */
import { STATUS_CODES } from 'node:http';
import { Descriptors } from '../edge/descriptors.ts';
import type { Edge } from '../edge/edge.ts';
import type { EdgeLogger } from '../edge/logger.ts';
import { internalProblem, malformed, Problem } from '../edge/problem.ts';
import type { ModuleCatalog } from '../modules/catalog.ts';
import { loadBinding, type BindingChoice } from './binding.ts';
import { BODY_LIMITS, BodyReader, type BodyLimits } from './body.ts';
import type { Exchange, Header, Listener } from './exchange.ts';
import { HttpMetrics } from './http-metrics.ts';
import { parseQuery, PROBLEM_TYPE, Takeover, type Request } from './request.ts';
import { Router, type Answer, type Route } from './router.ts';
import { routes } from './routes/index.ts';
import { Turns } from './turns.ts';

export interface HttpOptions {
  readonly edge: Edge;
  readonly host: string;
  /** 0 takes any free port. */
  readonly httpPort: number;
  readonly logger: EdgeLogger;
  readonly binding?: BindingChoice;
  readonly bodyLimits?: Partial<BodyLimits>;
}

export interface HttpServer {
  readonly port: number;
  readonly binding: 'native' | 'fallback';
  /** Stops listening, waits up to `boundMs` for answers in flight, then closes connections. */
  close(boundMs?: number): Promise<void>;
}

const CLOSE_BOUND_MS = 10_000;
/** Whatever a body of so many bytes holds, it is read within a millisecond or two. */
const SHORT_BODY_BYTES = 16 * 1024;

/** Rejects when the port cannot be bound, with a message for the person who started the node. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const binding = loadBinding(options.binding);
  const service = new HttpService(options, binding.name);
  const listener = await binding.listen(
    options.host,
    options.httpPort,
    (exchange) => service.serve(exchange),
    new Descriptors(options.logger),
  );
  const { port } = listener;
  options.logger.info({ host: options.host, port, binding: binding.name }, 'HTTP is listening');
  return {
    port,
    binding: binding.name,
    close: (boundMs = CLOSE_BOUND_MS) => service.close(listener, boundMs),
  };
}

class HttpService {
  readonly #edge: Edge;
  readonly #logger: EdgeLogger;
  readonly #bodies: BodyReader;
  #routed: { readonly catalog: ModuleCatalog; readonly router: Router };
  readonly #bindingName: string;
  readonly #metrics = new HttpMetrics();
  /** Apart, so that what takes little time does not wait behind what takes much: bodies are read here. */
  readonly #reads = new Turns();
  readonly #writes = new Turns();
  readonly #longWrites = new Turns();
  #open = 0;
  #closing = false;
  #whenIdle: (() => void) | null = null;

  constructor(options: HttpOptions, bindingName: string) {
    this.#edge = options.edge;
    this.#logger = options.logger;
    this.#bodies = new BodyReader({ ...BODY_LIMITS, ...options.bodyLimits });
    this.#bindingName = bindingName;
    this.#routed = this.#route();
  }

  #route(): { readonly catalog: ModuleCatalog; readonly router: Router } {
    const page = (): string => this.#metrics.render(this.#bindingName, this.#open);
    return { catalog: this.#edge.catalog, router: new Router(routes(this.#edge, page)) };
  }

  /** For the modules that are in force: others have other routes. */
  #router(): Router {
    if (this.#routed.catalog !== this.#edge.catalog) this.#routed = this.#route();
    return this.#routed.router;
  }

  serve(exchange: Exchange): void {
    const visit: Visit = { exchange, startedMs: performance.now(), route: 'unknown', ended: false };
    this.#open++;
    exchange.onAborted(() => {
      this.#bodies.abandon(exchange);
      this.#end(visit, 499);
    });
    const found = this.#find(exchange);
    if (found instanceof Problem) return this.#reads.soon(() => this.#refuse(visit, found));
    const { route, request } = found;
    visit.route = route.path;
    if (route.bodyBytesMax === undefined) return this.#start(visit, route, request);
    this.#bodies.read(exchange, route.bodyBytesMax, (body) => {
      if (body instanceof Problem) this.#refuse(visit, body);
      else this.#start(visit, route, { ...request, body: body.bytes }, body.free);
    });
  }

  /** `done` is called when the route is, or will not be, done with the request. */
  #start(visit: Visit, route: Route, request: Request, done = (): void => {}): void {
    const run = (): void => {
      if (visit.ended) done();
      else this.#run(visit, route, request, done);
    };
    if (route.method === 'GET') this.#reads.soon(run);
    else if (request.body.length <= SHORT_BODY_BYTES) this.#writes.later(run);
    else this.#longWrites.later(run);
  }

  #find(exchange: Exchange): { route: Route; request: Request } | Problem {
    const { method, path, headers, ambiguous } = exchange;
    if (ambiguous !== null) {
      return new Problem(400, 'malformed', 'the header stands twice', {
        field: ambiguous,
        close: true,
      });
    }
    const misdirected = this.#edge.hostProblem(headers.get('host'));
    if (misdirected !== null) return misdirected;
    // Whatever ends in `chunked`, or only sounds like it, is read as chunks: nobody else may think so.
    const coding = headers.get('transfer-encoding') ?? 'chunked';
    if (coding.toLowerCase() !== 'chunked') return unknownCoding();
    if (path.length > PATH_LENGTH_MAX) return malformed(`longer than ${PATH_LENGTH_MAX}`, 'path');
    const found = this.#router().find(method, path);
    if (found instanceof Problem) return found;
    const query = parseQuery(exchange.query);
    if (query instanceof Problem) return query;
    const request = { method, path, params: found.params, query, headers, body: NO_BODY };
    return { route: found.route, request };
  }

  #run(visit: Visit, route: Route, request: Request, done: () => void): void {
    const answer = (outcome: Answer): void => {
      done();
      this.#answer(visit, outcome);
    };
    const failed = (error: unknown): void => {
      done();
      this.#failed(visit, error);
    };
    try {
      const outcome = route.handle(request);
      if (outcome instanceof Promise) outcome.then(answer, failed);
      else answer(outcome);
    } catch (error) {
      failed(error);
    }
  }

  #failed(visit: Visit, error: unknown): void {
    this.#logger.error({ err: error, route: visit.route }, 'a request failed inside the node');
    this.#refuse(visit, internalProblem());
  }

  #answer(visit: Visit, outcome: Answer): void {
    if (outcome instanceof Problem) return this.#refuse(visit, outcome);
    if (outcome instanceof Takeover) return this.#handOver(visit, outcome);
    const height = outcome.height ?? this.#edge.executedHeight();
    const headers: Header[] = [];
    if (outcome.contentType !== '') headers.push(['content-type', outcome.contentType]);
    if (outcome.headers !== undefined) headers.push(...outcome.headers);
    this.#send(visit, outcome.status, headers, outcome.body, height, false);
  }

  /** What goes on is not in flight: who took it ends it. */
  #handOver(visit: Visit, { status, take }: Takeover): void {
    const refused = take(visit.exchange, this.#commonHeaders(visit, this.#edge.executedHeight()));
    if (refused === null) this.#end(visit, status);
    else this.#refuse(visit, refused);
  }

  #refuse(visit: Visit, problem: Problem): void {
    const headers: Header[] = [['content-type', PROBLEM_TYPE], ...problem.headers];
    if (problem.retryAfterMs !== null) {
      headers.push(['retry-after', String(Math.max(1, Math.ceil(problem.retryAfterMs / 1000)))]);
    }
    const body = problem.toJson(STATUS_CODES[problem.status] ?? 'Error');
    const height = problem.height ?? this.#edge.executedHeight();
    this.#send(visit, problem.status, headers, body, height, problem.close);
  }

  #send(
    visit: Visit,
    status: number,
    headers: Header[],
    body: string | Uint8Array,
    height: number,
    close: boolean,
  ): void {
    headers.push(...this.#commonHeaders(visit, height));
    visit.exchange.reply({ status, headers, body, close: close || this.#closing });
    this.#end(visit, status);
  }

  #commonHeaders(visit: Visit, height: number): Header[] {
    const headers: Header[] = [
      ['x-althing-node', this.#edge.port.info.nodeId],
      ['x-althing-height', String(height)],
    ];
    const ageMs = this.#edge.ageMs(height);
    if (ageMs !== null) headers.push(['x-althing-age-ms', String(ageMs)]);
    const trace = visit.exchange.headers.get('traceparent');
    if (trace !== undefined && isTraceparent(trace)) headers.push(['traceparent', trace]);
    return headers;
  }

  #end(visit: Visit, status: number): void {
    if (visit.ended) return;
    visit.ended = true;
    this.#open--;
    this.#metrics.record(visit.route, status, (performance.now() - visit.startedMs) / 1000);
    if (this.#open === 0) this.#whenIdle?.();
  }

  async close(listener: Listener, boundMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    listener.stopListening();
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        const bound = setTimeout(resolve, boundMs);
        this.#whenIdle = () => {
          clearTimeout(bound);
          resolve();
        };
      });
    }
    // One more turn of the loop, so that the last answers are handed to the system.
    await new Promise((resolve) => setImmediate(resolve));
    this.#bodies.close();
    listener.closeConnections();
  }
}

function unknownCoding(): Problem {
  const detail = 'send the body as it is, with its length or in chunks';
  return new Problem(501, 'unknown_transfer_coding', detail, {
    field: 'Transfer-Encoding',
    close: true,
  });
}

/** One exchange on its way through the server. */
interface Visit {
  readonly exchange: Exchange;
  readonly startedMs: number;
  route: string;
  ended: boolean;
}

const PATH_LENGTH_MAX = 2_048;
const NO_BODY = new Uint8Array(0);

/** W3C Trace Context, version 00 and those that extend it. */
function isTraceparent(value: string): boolean {
  return /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value);
}
