/** A server on loopback that speaks Redis' protocol, and misbehaves as a test wants. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { ExecutionContext } from 'ava';

/** What goes out as the answer to one command; null for none. */
export type Answer = string | Uint8Array | null;

const CRLF = '\r\n';

export class FakeRedis {
  readonly store = new Map<string, Buffer>();
  /** Names of the commands that came, in upper case. */
  readonly seen: string[] = [];
  /** Connections that were made, and those that are open. */
  connected = 0;
  readonly open = new Set<Socket>();
  /** How it answers; by default as Redis does. */
  answer: (name: string, args: readonly Buffer[]) => Answer = (name, args) => this.obey(name, args);
  readonly #server;

  private constructor(tls: TlsOptions | null) {
    const take = (socket: Socket): void => this.#take(socket);
    this.#server = tls === null ? createServer(take) : createTlsServer(tls, take);
  }

  static async start(t: ExecutionContext, tls: TlsOptions | null = null): Promise<FakeRedis> {
    const redis = new FakeRedis(tls);
    await redis.listen(0);
    t.teardown(() => redis.stop());
    return redis;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.open) socket.destroy();
    await once(this.#server, 'close');
  }

  obey(name: string, [key = Buffer.alloc(0), value = Buffer.alloc(0)]: readonly Buffer[]): Answer {
    if (name === 'SET') this.store.set(key.toString(), value);
    if (name !== 'GET') return `+OK${CRLF}`;
    const found = this.store.get(key.toString());
    return found === undefined ? `$-1${CRLF}` : bulk(found);
  }

  #take(socket: Socket): void {
    this.connected++;
    this.open.add(socket);
    // As Redis: an answer that waits for the acknowledgement of another comes too late.
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.open.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let read = command(rest); read !== null; read = command(rest)) {
        rest = rest.subarray(read.end);
        const [name = Buffer.alloc(0), ...args] = read.words;
        const said = name.toString().toUpperCase();
        this.seen.push(said);
        const answer = this.answer(said, args);
        if (answer !== null) socket.write(answer);
      }
    });
  }
}

export function bulk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}${CRLF}`), bytes, Buffer.from(CRLF)]);
}

/** An array of bulk strings at the start of `bytes`; null while it is not whole. */
function command(bytes: Buffer): { readonly words: Buffer[]; readonly end: number } | null {
  let at = 0;
  const number = (): number | null => {
    const end = bytes.indexOf(CRLF, at);
    if (end < 0) return null;
    const value = Number(bytes.subarray(at + 1, end).toString());
    at = end + CRLF.length;
    return value;
  };
  const count = number();
  const words: Buffer[] = [];
  while (count !== null && words.length < count) {
    const length = number();
    if (length === null || at + length + CRLF.length > bytes.length) return null;
    words.push(bytes.subarray(at, at + length));
    at += length + CRLF.length;
  }
  return count === null ? null : { words, end: at };
}
