/**
 * The nodes that a client may ask. None of them is trusted more than the others: a request goes to
 * one whose answer held lately, and to the next when it does not answer.
 *
 * X3. What a node answers costs bounded memory and time, whatever it sends: a body that is longer than
 *     asked for, or not there in time, is no answer, and a node sends nobody elsewhere.
 */
import { readBody } from './body.ts';
import { AlthingError } from './errors.ts';
import { pause, pauseMs, within } from './waiting.ts';

export interface NodesOptions {
  /** Such as `http://127.0.0.1:9003`, without a path. The same one again is the same node. */
  readonly urls: readonly string[];
  readonly fetch?: typeof fetch;
  /** One node's time to answer, in milliseconds: 10,000 without it. */
  readonly attemptMs?: number;
}

export interface NodeAnswer {
  /** Index of the node that answered. */
  readonly node: number;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface NodeRequest {
  readonly method: Method;
  /** With its parameters. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** What its answer may have; ANSWER_BYTES_MAX without it. */
  readonly bytesMax?: number;
}

/** A proof has at most 16 MiB, and what it proves is told beside it. */
const ANSWER_BYTES_MAX = 48 * 1024 * 1024;
const ATTEMPT_MS = 10_000;
/** With these a node may say when it wants to be asked again. */
const REST_STATUSES: ReadonlySet<number> = new Set([429, 503]);
/** A node that lies keeps itself from being asked for no longer. */
const REST_MS_MAX = 5_000;
/** So many answers weigh in what they take of late. */
const MEAN_OF = 8;

export class Nodes {
  readonly urls: readonly string[];
  readonly #fetch: typeof fetch;
  readonly #attemptMs: number;
  /** Those with the lowest are asked first: below 0 who helped, above 0 who failed, each the later the further. */
  readonly #ranks: number[];
  #judged = 0;
  /** On the clock of `performance`: until when nodes do not want to be sent anything (Retry-After). */
  readonly #restingUntil: number[];
  /** Of late, by node and method: what becomes final takes longer than what is read. */
  readonly #usualMs: readonly Map<Method, number>[];

  /** Throws AlthingError when there is no address, or one is none. */
  constructor({
    urls = [],
    fetch: given = globalThis.fetch,
    attemptMs = ATTEMPT_MS,
  }: Partial<NodesOptions>) {
    if (urls.length === 0) throw noNode();
    this.urls = [...new Set(urls.map(checkedUrl))];
    this.#ranks = this.urls.map(() => 0);
    this.#usualMs = this.urls.map(() => new Map());
    this.#restingUntil = this.urls.map(() => 0);
    this.#fetch = given.bind(globalThis);
    this.#attemptMs = attemptMs;
  }

  get count(): number {
    return this.urls.length;
  }

  /** All of them, in the order in which they are to be asked. */
  order(): readonly number[] {
    const rank = (node: number): number => this.#ranks[node]!;
    return this.urls.map((_, node) => node).toSorted((a, b) => rank(a) - rank(b));
  }

  /** The nodes in the order in which they are to be asked, over and over, with growing pauses. */
  async *turns(signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    const order = this.order();
    for (let round = 0; !signal.aborted; round++) {
      for (const node of order) {
        yield node;
        if (signal.aborted) return;
      }
      await pause(pauseMs(round), signal);
    }
  }

  /** One request to one node; null when it gave no answer. That, or one of 5xx, makes it the last choice. */
  async ask(node: number, request: NodeRequest, signal?: AbortSignal): Promise<NodeAnswer | null> {
    const answer = await within(this.#attemptMs, signal, (bound) =>
      this.#ask(node, request, bound),
    );
    // Who was not waited for has not failed.
    if (signal?.aborted !== true && (answer === null || answer.status >= 500)) this.distrust(node);
    if (answer !== null && request.method === 'POST') this.#noteRest(answer);
    return answer;
  }

  #noteRest({ node, status, headers }: NodeAnswer): void {
    const seconds = REST_STATUSES.has(status) ? Number(headers.get('retry-after')) : 0;
    const ms = seconds > 0 ? Math.min(seconds * 1_000, REST_MS_MAX) : 0;
    this.#restingUntil[node] = performance.now() + ms;
  }

  /** For how long the node does not want to be sent anything; reads are never kept from it. */
  restMs(node: number, method: Method): number {
    if (method !== 'POST') return 0;
    return Math.max(0, this.#restingUntil[node]! - performance.now());
  }

  /** What its answers take until they hold, as a moving mean; 0 before the first. */
  usualMs(node: number, method: Method): number {
    return this.#usualMs[node]?.get(method) ?? 0;
  }

  /** It was not waited for any longer than so long. */
  takesAtLeast(node: number, method: Method, ms: number): void {
    this.#usualMs[node]!.set(method, Math.max(ms, this.usualMs(node, method)));
  }

  async #ask(node: number, request: NodeRequest, signal: AbortSignal): Promise<NodeAnswer | null> {
    const { method, path, headers = {}, body, bytesMax = ANSWER_BYTES_MAX } = request;
    try {
      const response = await this.#fetch(`${this.urls[node]}${path}`, {
        method,
        headers: { ...headers },
        signal,
        redirect: 'error',
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      });
      const answer = await readBody(response, bytesMax, signal);
      if (answer === null) return null;
      return { node, status: response.status, headers: response.headers, body: answer };
    } catch {
      // Whatever kept it from answering, another node is asked.
      return null;
    }
  }

  /** A stream of events from one node, until `ends`; null when it did not begin in time. */
  async open(node: number, path: string, ends: AbortController): Promise<Response | null> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      ends.abort();
    }, this.#attemptMs);
    try {
      const response = await this.#fetch(`${this.urls[node]}${path}`, {
        headers: { accept: 'text/event-stream' },
        signal: ends.signal,
        redirect: 'error',
      });
      if (!response.ok) this.distrust(node);
      return response;
    } catch {
      // Whoever reads may have ended it: then the node has not failed.
      if (isLate || !ends.signal.aborted) this.distrust(node);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its answer held, so long after it was asked: it is asked first. */
  prefer(node: number, method: Method, ms: number): void {
    this.#ranks[node] = -++this.#judged;
    const before = this.#usualMs[node]!.get(method) ?? ms;
    this.#usualMs[node]!.set(method, before + (ms - before) / MEAN_OF);
  }

  /** It gave no answer, or one that does not hold: it is asked last. */
  distrust(node: number): void {
    this.#ranks[node] = ++this.#judged;
  }
}

/** What an answer of 4xx or 5xx says (RFC 9457). A node may say anything: all of it is optional. */
export function problemOf(answer: NodeAnswer): AlthingError {
  const { status } = answer;
  const problem = membersOf(answer);
  const text = (name: string): string => {
    const value = problem[name];
    return typeof value === 'string' ? value : '';
  };
  const code = text('code') || `status_${status}`;
  return new AlthingError(code, text('detail') || `answered ${status}`, status, text('field'));
}

/** Of its body; none when it is no JSON. */
export function membersOf({ body }: NodeAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function noNode(): AlthingError {
  const detail = "give the addresses of nodes: urls: ['http://127.0.0.1:9003']";
  return new AlthingError('no_node', detail, 0, 'urls');
}

function checkedUrl(url: string): string {
  const address = URL.canParse(url) ? new URL(url) : null;
  const isHttp = address?.protocol === 'http:' || address?.protocol === 'https:';
  if (address !== null && isHttp && address.pathname === '/' && address.search === '') {
    return address.origin;
  }
  throw new AlthingError('bad_address', `${url} is no address such as http://127.0.0.1:9003`);
}
