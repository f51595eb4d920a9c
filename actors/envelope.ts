/**
 * Which actor an envelope from a peer is for, told from its first bytes: [version, [kind, …]]. It is
 * decoded later, in that actor's thread, by protocols/wire.ts, which also checks what is read here.
 */
import { peerMessageKinds, ROUTES, type ProtocolActor } from '../protocols/messages.ts';

const ARRAY_OF_TWO = 0x92;
const HEAD_BYTES = 4;

/** Null when the bytes cannot be an envelope: the sender's fault. */
export function addresseeOf(envelope: Uint8Array): ProtocolActor | null {
  if (envelope.length < HEAD_BYTES) return null;
  if (envelope[0] !== ARRAY_OF_TWO || envelope[2] !== ARRAY_OF_TWO) return null;
  const kind = peerMessageKinds[envelope[3] as number];
  return kind === undefined ? null : ROUTES[kind].actor;
}
