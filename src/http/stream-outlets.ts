/** The forms in which the stream goes over HTTP: Server-Sent Events, and messages of a WebSocket. */
import { toJson, toMsgpack } from '../edge/representation.ts';
import { encoded, Item, type Encoder } from '../stream/item.ts';
import type { EndCode, Ending, Outlet } from '../stream/subscription.ts';
import type { Channel } from './channel.ts';

/** Codes of RFC 6455 §7.4: going away, internal error, try again later. */
const CLOSE_CODES: Readonly<Record<EndCode, number>> = {
  draining: 1001,
  log_unreadable: 1011,
  slow_consumer: 1013,
};
const POLICY_VIOLATION = 1008;

const asJson: Encoder<string> = ({ value }) => toJson(value);
const asMsgpack: Encoder<Uint8Array> = ({ value }) => toMsgpack(value);
const asEvent: Encoder<string> = (item) => `id: ${item.id}\ndata: ${item.as(asJson)}\n\n`;

/** Subprotocols that a client may ask for, and how they write items; the first is what others get. */
export const SUBPROTOCOLS: ReadonlyMap<string, Encoder> = new Map<string, Encoder>([
  ['althing.v1.json', asJson],
  ['althing.v1.msgpack', asMsgpack],
]);

abstract class ChannelOutlet implements Outlet {
  protected readonly channel: Channel;
  readonly #encoder: Encoder;

  constructor(channel: Channel, encoder: Encoder) {
    this.channel = channel;
    this.#encoder = encoder;
  }

  waitingBytes(): number {
    return this.channel.waitingBytes();
  }

  takenBytes(): number {
    return this.channel.takenBytes();
  }

  send(items: readonly Item[]): number {
    const written = encoded(items, this.#encoder);
    this.channel.send(written);
    return written.length;
  }

  abstract keepAlive(): void;
  abstract close(ending: Ending): void;
}

export class EventOutlet extends ChannelOutlet {
  constructor(channel: Channel) {
    super(channel, asEvent);
  }

  keepAlive(): void {
    this.channel.send([':\n\n']);
  }

  close(ending: Ending): void {
    this.channel.send([`event: closed\ndata: ${JSON.stringify(closedValue(ending))}\n\n`]);
    this.channel.end(0, '');
  }
}

export class SocketOutlet extends ChannelOutlet {
  constructor(channel: Channel, encoder: Encoder) {
    super(channel, encoder);
  }

  keepAlive(): void {
    this.channel.ping();
  }

  close(ending: Ending): void {
    this.send([new Item('', closedValue(ending))]);
    this.channel.end(CLOSE_CODES[ending.code], ending.code);
  }
}

function closedValue({ code, detail, resume }: Ending): object {
  return { kind: 'closed', code, detail, resume };
}

/** So many messages a client may send in a second; it has nothing to say but that it is there. */
const PINGS_MAX = 10;
const WINDOW_MS = 1_000;

/** What a client says over a WebSocket: `{"ping": …}`, for those that cannot send the protocol's own. */
export class Pings {
  readonly #channel: Channel;
  readonly #pong: string | Uint8Array;
  #windowAtMs = 0;
  #count = 0;

  constructor(channel: Channel, encoder: Encoder) {
    this.#channel = channel;
    this.#pong = encoder(new Item('', { kind: 'pong' }));
  }

  take(data: Uint8Array, isText: boolean): void {
    if (!isText || !isPing(data)) return this.#refuse('unexpected_message');
    const now = performance.now();
    if (now - this.#windowAtMs >= WINDOW_MS) {
      this.#windowAtMs = now;
      this.#count = 0;
    }
    if (++this.#count > PINGS_MAX) return this.#refuse('too_many_messages');
    this.#channel.send([this.#pong]);
  }

  #refuse(reason: string): void {
    this.#channel.end(POLICY_VIOLATION, reason);
  }
}

function isPing(data: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    if (typeof value !== 'object' || value === null) return false;
    return Object.keys(value).join() === 'ping';
  } catch {
    return false;
  }
}
