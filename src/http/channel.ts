/**
 * A way of many messages to one client, as a binding offers it: a WebSocket, or an answer whose body
 * goes on. What it is told after the client has gone, it ignores.
 */

export interface ChannelEvents {
  /** There is room again: what was sent is with the system. */
  drained(): void;
  /** A message of the client, over a WebSocket; valid during the call only. */
  message(data: Uint8Array, isText: boolean): void;
  /** Once, also after `end`. Nothing is told after it. */
  closed(): void;
}

export interface Channel {
  /** To be called at once. */
  on(events: ChannelEvents): void;
  /** Bytes that were sent and are not with the system yet. */
  waitingBytes(): number;
  /** Bytes that were sent and are with the system, roughly; never falls by much. */
  takenBytes(): number;
  /** Each a message of a WebSocket, text or binary; or the next piece of a body. */
  send(messages: readonly (string | Uint8Array)[]): void;
  /** Over a WebSocket: asks whether the client is there. */
  ping(): void;
  /** After what was sent. Code and reason are for WebSockets (RFC 6455 §7.4): at most 123 bytes. */
  end(code: number, reason: string): void;
}

/** Of a message from a client, in bytes: more closes the channel. */
export const MESSAGE_BYTES_MAX = 1_024;
/**
 * Who does not answer pings for so long has gone. Longer than the hub waits for one that takes nothing,
 * and so does not answer: it is told first.
 */
export const SILENT_MS_MAX = 60_000;
