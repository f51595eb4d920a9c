/** Calls by hand on HTTP/2, for what no client library would do. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { ExecutionContext } from 'ava';
import { loadProtos } from '../../src/grpc/protos.ts';

const TRANSACTIONS = loadProtos([]).transactions;

export interface RawStatus {
  /** Of gRPC; null when the stream ended without one. */
  readonly status: number | null;
  readonly code: string;
}

/** A message of these bytes as it travels. */
export function frame(body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

export function openSession(
  t: ExecutionContext,
  address: string,
  settings: { readonly initialWindowSize?: number } = {},
): ClientHttp2Session {
  const session = connect(`http://${address}`, { settings });
  session.on('error', () => undefined);
  t.teardown(() => endSession(session));
  return session;
}

/**
 * What awaits an event of a session goes on while the session reads, and must not destroy it then
 * (nodejs/node#64850): so in a turn of its own.
 */
export function endSession(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      session.destroy();
      resolve();
    });
  });
}

/** A message of `method` as it travels. */
export function framed(method: 'Submit' | 'SubmitStream', request: object): Buffer {
  return frame(TRANSACTIONS[method]!.requestSerialize(request));
}

export class RawCall {
  readonly stream: ClientHttp2Stream;
  /** Resolves with the status when it comes, or when the stream has closed without. */
  readonly status: Promise<RawStatus>;
  bytesReceived = 0;

  constructor(session: ClientHttp2Session, method: string, headers: Record<string, string> = {}) {
    this.stream = session.request({
      ':method': 'POST',
      ':path': method.startsWith('/') ? method : `/althing.v1.Transactions/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    this.stream.on('error', () => undefined);
    this.stream.on('data', (chunk: Buffer) => (this.bytesReceived += chunk.length));
    this.status = new Promise((resolve) => {
      const take = (found: Record<string, unknown>): void => {
        if (found['grpc-status'] === undefined) return;
        resolve({ status: Number(found['grpc-status']), code: String(found['althing-code']) });
      };
      this.stream.on('response', take).on('trailers', take);
      this.stream.on('close', () => resolve({ status: null, code: '' }));
    });
  }

  /**
   * As gRPC clients do. Without that code Node sends at once, and while its session reads, which is when
   * those go on who awaited a status, that frees what is still in use (nodejs/node#64113).
   */
  cancel(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }
}
