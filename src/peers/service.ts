/**
 * The peer service of gRPC, written by hand: two streams of bytes, and in their opening metadata who
 * speaks and for which cluster. Payloads pass through undecoded.
 */
import { Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import type { PeerClass } from '../../protocols/messages.ts';
import type { Digest, ValidatorIndex } from '../../protocols/types.ts';
import { FRAME_BYTES_MAX, MESSAGE_BYTES_GOAL } from './frames.ts';

export const PEER_CLASSES: readonly PeerClass[] = ['control', 'data'];
/** Version of the framing and of this opening; envelopes carry their own. */
const CHANNEL_VERSION = '1';

export const PATHS: Readonly<Record<PeerClass, string>> = {
  control: '/althing.peer.v1.Peer/Control',
  data: '/althing.peer.v1.Peer/Data',
};

export const passThrough = (bytes: Buffer): Buffer => bytes;

const stream = (path: string): ServiceDefinition[string] => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: passThrough,
  requestDeserialize: passThrough,
  responseSerialize: passThrough,
  responseDeserialize: passThrough,
});

export const PEER_SERVICE: ServiceDefinition = {
  control: stream(PATHS.control),
  data: stream(PATHS.data),
};

/** What both ends of a channel refuse to go beyond. */
export const RECEIVE_BYTES_MAX = FRAME_BYTES_MAX + MESSAGE_BYTES_GOAL;

/** Flow control: bytes that may be on the way to an end that has not read them. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

export function opening(cluster: Digest, self: ValidatorIndex): Metadata {
  const metadata = new Metadata();
  metadata.set('althing-channel', CHANNEL_VERSION);
  metadata.set('althing-cluster', cluster);
  metadata.set('althing-validator', String(self));
  return metadata;
}

/** What is wrong with the other end's opening, or null. `peer` is who its certificate says it is. */
export function openingFault(
  metadata: Metadata,
  cluster: Digest,
  peer: ValidatorIndex,
): string | null {
  const said = (name: string): string => String(metadata.get(name)[0] ?? 'none');
  if (said('althing-channel') !== CHANNEL_VERSION) {
    return `channel version ${said('althing-channel')}, expected ${CHANNEL_VERSION}`;
  }
  if (said('althing-cluster') !== cluster) {
    return `cluster ${said('althing-cluster')} is not this cluster ${cluster}: compare genesis.json`;
  }
  if (said('althing-validator') !== String(peer)) {
    return `speaks for validator ${said('althing-validator')} with the key of validator ${peer}`;
  }
  return null;
}
