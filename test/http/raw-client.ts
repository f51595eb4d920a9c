/** HTTP/1.1 by hand, for requests that no client library would send. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export class RawClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #changed: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed?.();
    });
    // A reset is one of the ways in which a server may end a conversation.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#changed?.();
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  send(...parts: readonly (string | Uint8Array)[]): this {
    for (const part of parts) this.#socket.write(part);
    return this;
  }

  /** Resolves once the bytes are with the system. */
  sent(part: string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(part, () => resolve()));
  }

  /** Has nothing more to send, and goes on reading. */
  end(): this {
    this.#socket.end();
    return this;
  }

  /** Ends the conversation as a crash does: with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  startReading(): void {
    this.#socket.resume();
  }

  /** The next answer; null when the server closed the connection instead. */
  answer(): Promise<RawAnswer | null> {
    return this.#next(true);
  }

  /** An answer without a body, whatever length it tells. */
  answerToHead(): Promise<RawAnswer | null> {
    return this.#next(false);
  }

  async #next(withBody: boolean): Promise<RawAnswer | null> {
    for (;;) {
      const answer = this.#parse(withBody);
      if (answer !== null) return answer;
      if (this.#closed) return null;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Resolves once the server has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #parse(withBody: boolean): RawAnswer | null {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [first = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const length = withBody ? Number(headers.get('content-length') ?? 0) : 0;
    const start = end + 4;
    if (this.#received.length < start + length) return null;
    const body = this.#received.subarray(start, start + length).toString();
    this.#received = this.#received.subarray(start + length);
    const status = Number(first.split(' ')[1]);
    return status === 100 ? this.#parse(withBody) : { status, headers, body };
  }
}
