/**
 * Large bytes travel beside a frame, not in it: each in an ArrayBuffer of its own that is transferred.
 *
 * I15. Only a buffer that nobody else can see is transferred: either the parcel gives it away, or it
 *      was copied once, here. A slice of a pool never leaves.
 */
import type { LocalMessage, SubmitResult } from '../protocols/messages.ts';
import type { Parcel } from './parcel.ts';

/** Below this a copy into the frame costs less than a buffer of its own. */
export const BODY_BYTES_MIN = 4096;

/** Where a body went: [which transferred buffer, byteOffset, byteLength]. */
type Reference = readonly [number, number, number];
type Put = (bytes: Uint8Array) => unknown;

/** The parcel with its large bytes replaced by references to what was appended to `buffers`. */
export function detachBodies(parcel: Parcel, buffers: ArrayBuffer[]): unknown {
  const put = (bytes: Uint8Array): unknown =>
    bytes.length < BODY_BYTES_MIN ? bytes : move(copyOf(bytes), buffers);
  if (parcel.kind === 'tell') {
    const message = mapBytes(parcel.message, put);
    return message === parcel.message ? parcel : { kind: 'tell', to: parcel.to, message };
  }
  if (parcel.kind === 'peerOut' && parcel.body !== undefined) {
    return { ...parcel, body: put(parcel.body) };
  }
  if (parcel.kind !== 'peerIn' || parcel.body === undefined) return parcel;
  const { kind, from, to, envelope, body, owned } = parcel;
  // The envelope may lie in the same buffer, which is about to go.
  if (owned !== true) return { kind, from, to, envelope, body: put(body) };
  return { kind, from, to, envelope: copyOf(envelope), body: move(body, buffers) };
}

/** Puts the bytes back; for parcels that `detachBodies` made. */
export function attachBodies(packed: unknown, buffers: readonly ArrayBuffer[]): Parcel {
  const parcel = packed as Parcel;
  if (parcel.kind === 'tell') {
    const message = mapBytes(parcel.message, (bytes) => resolve(bytes, buffers));
    return message === parcel.message ? parcel : { ...parcel, message };
  }
  if ((parcel.kind !== 'peerOut' && parcel.kind !== 'peerIn') || parcel.body === undefined) {
    return parcel;
  }
  return { ...parcel, body: resolve(parcel.body, buffers) };
}

function mapBytes(message: LocalMessage, put: Put): LocalMessage {
  const bytes = put as (bytes: Uint8Array) => Uint8Array;
  switch (message.kind) {
    case 'sealBatch':
      return { ...message, payload: bytes(message.payload) };
    case 'submit':
      return {
        ...message,
        submissions: message.submissions.map((each) => ({
          request: each.request,
          bytes: bytes(each.bytes),
        })),
      };
    case 'execute':
      return {
        ...message,
        batches: message.batches.map(({ lane, payload }) => ({ lane, payload: bytes(payload) })),
      };
    case 'submitted':
      return { ...message, results: message.results.map((each) => mapResult(each, bytes)) };
    default:
      return message;
  }
}

function mapResult(result: SubmitResult, put: (bytes: Uint8Array) => Uint8Array): SubmitResult {
  if (!result.ok) return result;
  const { receipts } = result;
  return { ...result, receipts: { ...receipts, encoded: put(receipts.encoded) } };
}

/** Not `slice`, which for a Buffer is a view. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function move(bytes: Uint8Array, buffers: ArrayBuffer[]): Reference {
  buffers.push(bytes.buffer as ArrayBuffer);
  return [buffers.length - 1, bytes.byteOffset, bytes.byteLength];
}

function resolve(value: unknown, buffers: readonly ArrayBuffer[]): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const [at, byteOffset, byteLength] = value as Reference;
  return new Uint8Array(buffers[at] as ArrayBuffer, byteOffset, byteLength);
}

/** Roughly what a parcel weighs, for credit. */
export function bytesOf(parcel: Parcel): number {
  const fixed = 256;
  if (parcel.kind === 'peerIn' || parcel.kind === 'peerOut') {
    return fixed + parcel.envelope.length + (parcel.body?.length ?? 0);
  }
  if (parcel.kind !== 'tell') return fixed;
  let bytes = fixed;
  mapBytes(parcel.message, (each) => {
    bytes += each.length + 32;
    return each;
  });
  return bytes;
}
