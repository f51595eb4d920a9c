/**
 * Items packed for one crossing between threads: one msgpack buffer for all of them, and the large
 * byte bodies beside it as buffers of their own, transferred and never re-encoded.
 *
 * I12. What is transferred is owned: a body that the sender keeps, or that is a slice of a larger
 *      buffer, is copied once first; one that fills its own buffer and is given up is moved.
 */
import { Packr } from 'msgpackr';
import type { LocalMessage } from '../protocols/messages.ts';
import type { Item } from './traffic.ts';

/** Below this a body is cheaper inside the msgpack than as a transferred buffer (about 25 µs each). */
const BODY_BYTES_MIN = 8 * 1024;

export interface CrossingFrame {
  readonly items: Uint8Array;
  readonly bodies: readonly Uint8Array[];
  /** Number of items. */
  readonly count: number;
  /** By `sharedClock`. */
  readonly sentAt: number;
}

/** Milliseconds on the clock that all threads of a process share; `performance.now()` is not. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A body's place in `bodies`, left where it was taken from. */
interface BodyRef {
  readonly bodyAt: number;
}

// Small bytes are copied out of the frame, so that a kept signature does not keep its whole frame.
const packr = new Packr({ useRecords: false, moreTypes: false, copyBuffers: true });

export function packItems(items: readonly Item[]): {
  frame: CrossingFrame;
  transfer: ArrayBuffer[];
} {
  const bodies: Uint8Array[] = [];
  const detached = items.map((item) =>
    mapBodies(item, (body, isKept) => detach(body, isKept, bodies)),
  );
  // The packer's own buffer is pooled.
  const packed = new Uint8Array(packr.pack(detached));
  const frame = { items: packed, bodies, count: items.length, sentAt: sharedClock() };
  return { frame, transfer: [packed.buffer, ...bodies.map((body) => body.buffer as ArrayBuffer)] };
}

export function unpackItems(frame: CrossingFrame): Item[] {
  const items = packr.unpack(frame.items) as Item[];
  if (frame.bodies.length === 0) return items;
  return items.map((item) => mapBodies(item, (body) => attach(body, frame.bodies)));
}

function detach(body: Uint8Array, isKept: boolean, bodies: Uint8Array[]): Uint8Array {
  if (body.length < BODY_BYTES_MIN) return body;
  const isWhole = body.byteOffset === 0 && body.byteLength === body.buffer.byteLength;
  const owned = isWhole && !isKept ? body : new Uint8Array(body);
  const ref: BodyRef = { bodyAt: bodies.push(owned) - 1 };
  return ref as unknown as Uint8Array;
}

function attach(body: Uint8Array | BodyRef, bodies: readonly Uint8Array[]): Uint8Array {
  if (body instanceof Uint8Array) return body;
  const found = bodies[body.bodyAt];
  if (found === undefined) throw new Error(`a crossing lacks its body ${body.bodyAt}`);
  return found;
}

/** `isKept`: whether the sender goes on using the bytes. */
type MapBody = (body: Uint8Array, isKept: boolean) => Uint8Array;

/** The item with every body that may be large replaced. Replication keeps what it sends (D4). */
function mapBodies(item: Item, map: MapBody): Item {
  switch (item.kind) {
    case 'peerIn':
      return item.body === undefined ? item : { ...item, body: map(item.body, false) };
    case 'peerOut':
      return item.body === undefined ? item : { ...item, body: map(item.body, true) };
    case 'local': {
      const message = mapMessage(item.message, map);
      return message === item.message ? item : { ...item, message };
    }
    default:
      return item;
  }
}

function mapMessage(message: LocalMessage, map: MapBody): LocalMessage {
  switch (message.kind) {
    case 'sealBatch':
      return { ...message, payload: map(message.payload, false) };
    case 'execute': {
      const batches = message.batches.map((batch) => ({
        ...batch,
        payload: map(batch.payload, true),
      }));
      return { ...message, batches };
    }
    case 'submit': {
      const submissions = message.submissions.map((each) => ({
        ...each,
        bytes: map(each.bytes, false),
      }));
      return { ...message, submissions };
    }
    case 'submitted': {
      const results = message.results.map((result) => {
        if (!result.ok || result.receipts === null) return result;
        const { receipts } = result;
        return { ...result, receipts: { ...receipts, encoded: map(receipts.encoded, true) } };
      });
      return { ...message, results };
    }
    default:
      return message;
  }
}
