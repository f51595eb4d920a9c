/**
 * What a binding (native uWebSockets.js or its stand-in on node:http) offers to the server above it:
 * one exchange per request. The rest of src/http knows nothing of either.
 *
 * H1. `reply` acts at most once, and not at all after the client has gone: callers need not check.
 * H2. `headers` holds lower-case names; one that may stand only once and stood twice is named in
 *     `ambiguous` (request smuggling lives there).
 */
import type { Descriptors } from '../edge/descriptors.ts';
import type { Channel } from './channel.ts';

export type Header = readonly [name: string, value: string];

export interface RawReply {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string | Uint8Array;
  /** Close the connection once the answer is out. */
  readonly close: boolean;
}

export type RawHead = Pick<RawReply, 'status' | 'headers'>;

export interface RawHandshake {
  readonly headers: readonly Header[];
  /** The subprotocol, where the client offered some. */
  readonly protocol: string | null;
}

export interface Exchange {
  /** Upper case. */
  readonly method: string;
  /** As sent, percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly ambiguous: string | null;
  /** Of the client, or of the proxy before it. */
  readonly address: string;
  /** Whether `upgrade` can make a WebSocket of it. */
  readonly isHandshake: boolean;
  /** `chunk` is valid during the call only: copy what is kept. */
  onBody(take: (chunk: Uint8Array, last: boolean) => void): void;
  /** The client went away before the answer was out. */
  onAborted(told: () => void): void;
  reply(reply: RawReply): void;
  /** Replies with a body that goes on until the channel is ended; null when the client has gone. */
  replyOpen(head: RawHead): Channel | null;
  /** Replies to a handshake; null when the client has gone. */
  upgrade(head: RawHandshake): Channel | null;
}

export interface Listener {
  /** The port that is really bound, also when 0 was asked for. */
  readonly port: number;
  /** Takes no new connections; those that are open stay. */
  stopListening(): void;
  /** Closes what is open; to be called when no answer is owed any more. */
  closeConnections(): void;
}

export interface Binding {
  readonly name: 'native' | 'fallback';
  /** Rejects with a sentence that names the port and the flag when it is taken. */
  listen(
    host: string,
    port: number,
    serve: (exchange: Exchange) => void,
    descriptors: Descriptors,
  ): Promise<Listener>;
}

/**
 * A request that a WebSocket can be made of (RFC 6455 §4.2.1), but for the version: the key is 16 bytes
 * in base64.
 */
export function isHandshake(method: string, headers: ReadonlyMap<string, string>): boolean {
  const key = headers.get('sec-websocket-key') ?? '';
  return method === 'GET' && asksForSocket(headers) && /^[+/0-9A-Za-z]{22}==$/.test(key);
}

export function asksForSocket(headers: ReadonlyMap<string, string>): boolean {
  return headers.get('upgrade')?.toLowerCase() === 'websocket';
}

/** Headers of which a second one makes the request mean two things. */
const SINGLE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'last-event-id',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'if-match',
  'if-none-match',
  'traceparent',
  'transfer-encoding',
]);

/** Collects headers as they come; the first of two that contradict each other is remembered. */
export class HeaderCollector {
  readonly headers = new Map<string, string>();
  ambiguous: string | null = null;

  add(name: string, value: string): void {
    const before = this.headers.get(name);
    if (before === undefined) this.headers.set(name, value);
    else if (SINGLE.has(name)) this.ambiguous = name;
    else this.headers.set(name, `${before}, ${value}`);
  }
}

export function portTaken(host: string, port: number, reason: string): Error {
  return new Error(
    `HTTP cannot listen on ${host}:${port} (${reason}): ` +
      'stop what uses the port, or choose another with --http',
  );
}
