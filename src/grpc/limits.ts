/** What clients may make the gRPC port hold, in total: how it is shared out says places.ts. */

export interface IntakeLimits {
  readonly readingMax: number;
  readonly waitingMax: number;
  /** Milliseconds from a call's turn to the end of its request. */
  readonly requestMsMax: number;
  readonly streamsMax: number;
  readonly unansweredMax: number;
  /** Milliseconds; longer than the longest wait that a request may ask for. */
  readonly idleMsMax: number;
  /** Calls that are answered by a stream; no fewer than the stream has subscribers (src/stream). */
  readonly watchersMax: number;
  /** Milliseconds; longer than the stream gives a subscriber who takes nothing: it is told before. */
  readonly unreadMsMax: number;
}

export interface GrpcLimits extends IntakeLimits {
  /** Connections at once: more are closed as they come. */
  readonly connectionsMax: number;
  /** Milliseconds from a connection's start to its first frame. */
  readonly prefaceMsMax: number;
  /** Calls at once on one connection: its client holds back more. */
  readonly callsPerConnectionMax: number;
}

export const GRPC_LIMITS: GrpcLimits = {
  connectionsMax: 256,
  prefaceMsMax: 5_000,
  callsPerConnectionMax: 128,
  readingMax: 64,
  waitingMax: 2_048,
  requestMsMax: 15_000,
  streamsMax: 128,
  unansweredMax: 256,
  idleMsMax: 150_000,
  watchersMax: 1_024,
  unreadMsMax: 30_000,
};

/** For health and reflection. */
export const STANDARD_LIMITS: IntakeLimits = {
  readingMax: 16,
  waitingMax: 256,
  requestMsMax: 5_000,
  streamsMax: 16,
  unansweredMax: 16,
  idleMsMax: 150_000,
  watchersMax: 256,
  unreadMsMax: 30_000,
};

/**
 * Everyday arguments take up to twice their canonical bytes as a Struct. A list of nothing but small
 * numbers takes ten times as much: such goes as `args_msgpack`, which is as compact as what is executed.
 */
const STRUCT_FACTOR = 2;
const ENVELOPE_BYTES = 64 * 1024;

/** Bytes of one message that a client sends. */
export function messageBytesMax(submissionBytesMax: number): number {
  return STRUCT_FACTOR * submissionBytesMax + ENVELOPE_BYTES;
}
