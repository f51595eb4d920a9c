/**
 * The nodes that a client may ask. None of them is trusted more than the others: a request goes to
 * one that answered lately, and to the next when it does not.
 */
import { AlthingError } from './errors.ts';

export interface NodesOptions {
  /** Such as `http://127.0.0.1:9003`, without a path. */
  readonly urls: readonly string[];
  readonly fetch?: typeof fetch;
  /** One node's time to answer, in milliseconds. */
  readonly attemptMs?: number;
}

export interface NodeAnswer {
  /** Index of the node that answered. */
  readonly node: number;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface NodeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its parameters. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const ATTEMPT_MS = 10_000;
const PAUSE_MS_MIN = 25;
const PAUSE_MS_MAX = 1_000;

export class Nodes {
  readonly urls: readonly string[];
  readonly #fetch: typeof fetch;
  readonly #attemptMs: number;
  /** The one that is asked first. */
  #preferred = 0;

  /** Throws AlthingError when an address is none. */
  constructor({ urls, fetch: given = globalThis.fetch, attemptMs = ATTEMPT_MS }: NodesOptions) {
    if (urls.length === 0) throw new AlthingError('no_node', 'give the address of a node');
    this.urls = urls.map(checkedUrl);
    this.#fetch = given.bind(globalThis);
    this.#attemptMs = attemptMs;
  }

  get count(): number {
    return this.urls.length;
  }

  /** The nodes in the order in which they are to be asked, over and over, with growing pauses. */
  async *turns(signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    const first = this.#preferred;
    for (let turn = 0; !signal.aborted; turn++) {
      yield (first + turn) % this.count;
      const round = Math.floor(turn / this.count);
      const isRoundOver = turn % this.count === this.count - 1;
      if (isRoundOver) await pause(Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** round), signal);
    }
  }

  /** One request to one node; null when it gave no answer. Answers of 5xx make it the last choice. */
  async ask(node: number, request: NodeRequest, signal?: AbortSignal): Promise<NodeAnswer | null> {
    try {
      const response = await this.#fetch(`${this.urls[node]}${request.path}`, {
        method: request.method,
        headers: request.headers ?? {},
        signal: within(this.#attemptMs, signal),
        ...(request.body === undefined ? {} : { body: request.body as Uint8Array<ArrayBuffer> }),
      });
      const body = new Uint8Array(await response.arrayBuffer());
      const { status, headers } = response;
      this.#judge(node, status < 500);
      return { node, status, headers, body };
    } catch {
      // Whatever kept it from answering, another node is asked.
      this.#judge(node, false);
      return null;
    }
  }

  /** A stream of bytes from one node, such as events; null when it did not begin. */
  async open(node: number, path: string, signal: AbortSignal): Promise<Response | null> {
    try {
      const response = await this.#fetch(`${this.urls[node]}${path}`, {
        headers: { accept: 'text/event-stream' },
        signal,
      });
      this.#judge(node, response.ok);
      return response;
    } catch {
      this.#judge(node, false);
      return null;
    }
  }

  #judge(node: number, isGood: boolean): void {
    if (isGood) this.#preferred = node;
    else if (this.#preferred === node) this.#preferred = (node + 1) % this.count;
  }
}

/** What an answer of 4xx or 5xx says (RFC 9457). A node may say anything: all of it is optional. */
export function problemOf({ status, body }: NodeAnswer): AlthingError {
  const problem = parsed(body);
  const text = (name: string): string => {
    const value = problem[name];
    return typeof value === 'string' ? value : '';
  };
  const code = text('code') || `status_${status}`;
  return new AlthingError(code, text('detail') || `answered ${status}`, status, text('field'));
}

function parsed(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function checkedUrl(url: string): string {
  const address = URL.canParse(url) ? new URL(url) : null;
  const isHttp = address?.protocol === 'http:' || address?.protocol === 'https:';
  if (address !== null && isHttp && address.pathname === '/' && address.search === '') {
    return address.origin;
  }
  throw new AlthingError('bad_address', `${url} is no address such as http://127.0.0.1:9003`);
}

/** A signal that ends after `ms`, or with `signal`. */
export function within(ms: number, signal?: AbortSignal): AbortSignal {
  const bound = AbortSignal.timeout(ms);
  return signal === undefined ? bound : AbortSignal.any([bound, signal]);
}

/** Ends early, without an error, when the signal does. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
