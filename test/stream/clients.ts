/** Clients of the stream for its tests: Server-Sent Events and WebSockets behind one face. */
import { request, type IncomingMessage } from 'node:http';
import { Unpackr } from 'msgpackr';
import { WebSocket } from 'ws';

export interface Message {
  readonly id?: string;
  readonly kind: string;
  readonly height?: number;
  readonly [member: string]: unknown;
}

export interface Ended {
  /** Of a WebSocket; 0 elsewhere. */
  readonly code: number;
  readonly reason: string;
}

export interface StreamClient {
  /** All that came. */
  readonly messages: readonly Message[];
  /** Resolves with the first message for which that holds; rejects when the stream ends before. */
  first(holds: (message: Message) => boolean): Promise<Message>;
  readonly ended: Promise<Ended>;
  stopReading(): void;
  startReading(): void;
  /** Goes away without a word. */
  cut(): void;
}

export class Refused extends Error {
  readonly status: number;
  readonly body: { readonly code?: string; readonly field?: string };
  readonly headers: IncomingMessage['headers'];

  constructor(status: number, body: string, headers: IncomingMessage['headers']) {
    super(`${status} ${body}`);
    this.status = status;
    this.body = JSON.parse(body) as Refused['body'];
    this.headers = headers;
  }
}

export type Transport = 'events' | 'socket';
export const TRANSPORTS: readonly Transport[] = ['events', 'socket'];

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** @param path with its query. Rejects with Refused. */
export function open(
  transport: Transport,
  url: string,
  path: string,
  options: Options = {},
): Promise<StreamClient> {
  return transport === 'events' ? openEvents(url, path, options) : openSocket(url, path, options);
}

/**
 * What is told after `place` until `isLast`: asked for again where it ended, whenever a loaded machine has
 * made the reader too slow for what the node was told to wait.
 */
export async function toldUntil(
  openAfter: (place: string) => Promise<StreamClient>,
  place: string,
  isLast: (message: Message) => boolean,
): Promise<readonly Message[]> {
  const client = await openAfter(place);
  const isWhole = await client.first(isLast).then(
    () => true,
    () => false,
  );
  if (isWhole) return client.messages;
  const { kind, code, resume } = client.messages.at(-1) ?? { kind: 'nothing' };
  if (kind !== 'closed' || code !== 'slow_consumer') {
    throw new Error(`the stream ended with ${kind} ${String(code)}`);
  }
  const rest = await toldUntil(openAfter, String(resume), isLast);
  return [...client.messages, ...rest];
}

class Received {
  readonly messages: Message[] = [];
  readonly ended: Promise<Ended>;
  #resolve: (ended: Ended) => void = () => undefined;
  #isOver = false;
  #changed: (() => void)[] = [];

  constructor() {
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
  }

  add(message: Message): void {
    this.messages.push(message);
    this.#tell();
  }

  end(ended: Ended): void {
    this.#isOver = true;
    this.#resolve(ended);
    this.#tell();
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const told of changed) told();
  }

  async first(holds: (message: Message) => boolean): Promise<Message> {
    let from = 0;
    for (;;) {
      for (; from < this.messages.length; from++) {
        if (holds(this.messages[from]!)) return this.messages[from]!;
      }
      if (this.#isOver) throw new Error('the stream ended before');
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }
}

function openEvents(url: string, path: string, { headers = {} }: Options): Promise<StreamClient> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, { headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      if (response.statusCode !== 200) return refuse(response, reject);
      const received = new Received();
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => {
        text += chunk;
        const end = text.lastIndexOf('\n\n');
        if (end < 0) return;
        for (const block of text.slice(0, end).split('\n\n')) readEvent(block, received);
        text = text.slice(end + 2);
      });
      response.on('error', () => undefined);
      response.on('close', () => received.end({ code: 0, reason: '' }));
      resolve({
        messages: received.messages,
        first: (holds) => received.first(holds),
        ended: received.ended,
        stopReading: () => void response.pause(),
        startReading: () => void response.resume(),
        cut: () => void asked.destroy(),
      });
    });
    asked.end();
  });
}

function readEvent(block: string, received: Received): void {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(':'))
      .map((line) => /^([a-z]+): (.*)$/.exec(line)!)
      .map(([, name, value]) => [name!, value!] as const),
  );
  const data = fields.get('data');
  if (data === undefined) return;
  const message = JSON.parse(data) as Message;
  if (fields.get('id') !== message.id) throw new Error(`another id than its item's: ${block}`);
  if ((fields.get('event') === 'closed') !== (message.kind === 'closed')) throw new Error(block);
  received.add(message);
}

function refuse(response: IncomingMessage, reject: (error: Error) => void): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => (body += chunk));
  response.on('end', () => reject(new Refused(response.statusCode ?? 0, body, response.headers)));
}

export interface SocketClient extends StreamClient {
  readonly socket: WebSocket;
}

const unpackr = new Unpackr({ mapsAsObjects: true, int64AsType: 'bigint' });

export function openSocket(
  url: string,
  path: string,
  { headers = {}, protocols = [] }: Options = {},
): Promise<SocketClient> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, [...protocols], {
      headers,
    });
    const received = new Received();
    socket.on('message', (data: Buffer, isBinary) => {
      received.add((isBinary ? unpackr.unpack(data) : JSON.parse(data.toString())) as Message);
    });
    socket.on('close', (code, reason) => received.end({ code, reason: reason.toString() }));
    socket.on('unexpected-response', (_, response) => refuse(response, reject));
    socket.on('error', reject);
    socket.on('open', () =>
      resolve({
        socket,
        messages: received.messages,
        first: (holds) => received.first(holds),
        ended: received.ended,
        stopReading: () => socket.pause(),
        startReading: () => socket.resume(),
        cut: () => socket.terminate(),
      }),
    );
  });
}
