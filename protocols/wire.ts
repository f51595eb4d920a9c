/**
 * Envelopes: one msgpack array [version, message] for each peer message. Decoding never throws;
 * what does not fit is a PeerFault of the sender. Golden bytes stand in test/golden/.
 */
import { Packr } from 'msgpackr';
import { decode, type Decoded, type Schema } from './codec.ts';
import { peerMessage, ROUTES, type PeerMessage, type PeerMessageKind } from './messages.ts';
import { readPacked } from './msgpack-reader.ts';

export const WIRE_VERSION = 1;
/** The largest envelope, without the body beside it. */
export const ENVELOPE_BYTES_MAX = 1024 * 1024;

const packr = new Packr({ useRecords: false, moreTypes: false });

export function packMessage(message: PeerMessage): Uint8Array {
  return packr.pack([WIRE_VERSION, peerMessage.pack(message)]);
}

export function unpackMessage(bytes: Uint8Array): Decoded<PeerMessage> {
  if (bytes.length > ENVELOPE_BYTES_MAX) return { ok: false, error: 'envelope too large' };
  const packed = readPacked(bytes);
  if (!Array.isArray(packed) || packed.length !== 2) return { ok: false, error: 'not an envelope' };
  const [version, message] = packed;
  if (version === WIRE_VERSION) return decode(peerMessage, message);
  const said = typeof version === 'number' ? `wire version ${version}` : 'no wire version';
  return { ok: false, error: `${said}, expected ${WIRE_VERSION}` };
}

const KINDS = Object.keys(ROUTES) as PeerMessageKind[];
const FIXARRAY_2 = 0x92;

/**
 * The kind that an envelope says it has, without decoding it: `92 <version> 92 <tag> …`. Null when
 * the bytes cannot be an envelope; `unpackMessage` says why.
 */
export function peekKind(envelope: Uint8Array): PeerMessageKind | null {
  const isEnvelope =
    envelope[0] === FIXARRAY_2 && envelope[1] === WIRE_VERSION && envelope[2] === FIXARRAY_2;
  return isEnvelope ? (KINDS[envelope[3]!] ?? null) : null;
}

/** msgpack of one structure, for event headers in the log. */
export function packStructure<T>(schema: Schema<T>, value: T): Uint8Array {
  return packr.pack(schema.pack(value));
}

export function unpackStructure<T>(schema: Schema<T>, bytes: Uint8Array): Decoded<T> {
  const packed = readPacked(bytes);
  return packed === undefined ? { ok: false, error: 'not msgpack' } : decode(schema, packed);
}
