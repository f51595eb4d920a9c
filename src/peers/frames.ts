/**
 * How peer messages lie in the bytes of one gRPC message: any number of frames
 * `[u32 envelope length][envelope][u32 body length][body]`, big-endian, nothing between them.
 *
 * F1. `unpackFrames ∘ packFrames` is the identity; a body of length 0 is no body.
 * F2. `unpackFrames` never throws and copies nothing: its frames are views into the message.
 * F3. A message without frames is a heartbeat.
 */

/** Opaque bytes between two nodes: an envelope (wire.ts) and what travels beside it. */
export interface Frame {
  readonly envelope: Uint8Array;
  readonly body?: Uint8Array;
}

/** The largest frame that is sent or taken, in bytes, with its lengths. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
/** Frames are packed together up to this size; a larger one travels alone. */
export const MESSAGE_BYTES_GOAL = 1024 * 1024;
/** One frame has at least ten bytes; this bounds the objects that one message may cost. */
const FRAMES_PER_MESSAGE_MAX = 16_384;

const LENGTH_BYTES = 4;

export function frameBytes(frame: Frame): number {
  return 2 * LENGTH_BYTES + frame.envelope.length + (frame.body?.length ?? 0);
}

/** How many frames from `start` on go into one message: at least one if there is one. */
export function framesThatFit(frames: readonly Frame[], start: number): number {
  let bytes = 0;
  let end = start;
  for (; end < frames.length && end - start < FRAMES_PER_MESSAGE_MAX; end++) {
    const frame = frames[end];
    if (frame === undefined) break;
    bytes += frameBytes(frame);
    if (bytes > MESSAGE_BYTES_GOAL && end > start) break;
  }
  return end - start;
}

export function packFrames(frames: readonly Frame[]): Buffer {
  let length = 0;
  for (const frame of frames) length += frameBytes(frame);
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { envelope, body } of frames) {
    at = out.writeUInt32BE(envelope.length, at);
    out.set(envelope, at);
    at = out.writeUInt32BE(body?.length ?? 0, at + envelope.length);
    if (body !== undefined) out.set(body, at);
    at += body?.length ?? 0;
  }
  return out;
}

/** The frames of a message, or what is wrong with it. */
export function unpackFrames(message: Buffer): readonly Frame[] | string {
  const frames: Frame[] = [];
  let at = 0;
  while (at < message.length) {
    if (frames.length === FRAMES_PER_MESSAGE_MAX) return 'too many frames in one message';
    const envelope = sliceAt(message, at);
    if (envelope === null) return `frame ${frames.length}: envelope cut short`;
    if (envelope.length === 0) return `frame ${frames.length}: empty envelope`;
    at += LENGTH_BYTES + envelope.length;
    const body = sliceAt(message, at);
    if (body === null) return `frame ${frames.length}: body cut short`;
    at += LENGTH_BYTES + body.length;
    frames.push(body.length === 0 ? { envelope } : { envelope, body });
  }
  return frames;
}

function sliceAt(message: Buffer, at: number): Uint8Array | null {
  if (at + LENGTH_BYTES > message.length) return null;
  const start = at + LENGTH_BYTES;
  const end = start + message.readUInt32BE(at);
  return end > message.length ? null : message.subarray(start, end);
}
