/**
 * Who is at the other end (rule M3): the CA that `init` made is trusted for transport, identity is
 * the Ed25519 key in the certificate, which must be a validator's. Names in certificates mean nothing.
 *
 * A3. A connection counts as validator v's only if its certificate is issued by the cluster's CA and
 *     carries v's public key, and TLS proved possession of that key.
 */
import { constants, X509Certificate } from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Validator } from '../../protocols/genesis.ts';
import type { PublicKey, ValidatorIndex } from '../../protocols/types.ts';
import { publicKeyOfSpki } from '../crypto/keys.ts';

export type Identified =
  | { readonly ok: true; readonly peer: ValidatorIndex }
  | { readonly ok: false; readonly reason: string; readonly fingerprint: string | null };

/** The Ed25519 public key of a certificate in DER; null for other keys and unreadable bytes. */
export function keyOfCertificate(der: Uint8Array): PublicKey | null {
  try {
    const { publicKey } = new X509Certificate(der);
    return publicKeyOfSpki(publicKey.export({ type: 'spki', format: 'der' }));
  } catch {
    // A peer's certificate is foreign input: what cannot be read is nobody's.
    return null;
  }
}

/** Decides whose connection an incoming one is, once its handshake is done. */
export function identify(
  socket: TLSSocket,
  validators: readonly Validator[],
  self: ValidatorIndex,
): Identified {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return { ok: false, reason: 'no client certificate', fingerprint: null };
  }
  const refuse = (reason: string): Identified => ({
    ok: false,
    reason,
    fingerprint: certificate.fingerprint256,
  });
  if (!socket.authorized) {
    return refuse(`certificate not accepted (${String(socket.authorizationError)})`);
  }
  if (socket.alpnProtocol !== 'h2') return refuse('protocol h2 not offered');
  const key = keyOfCertificate(certificate.raw);
  const peer = validators.findIndex((validator) => validator.publicKey === key);
  if (peer === -1) return refuse('the certificate carries no validator key');
  if (peer === self) return refuse("the certificate carries this node's own key");
  return { ok: true, peer };
}

/** TLS 1.3 alone, no session tickets: every connection proves possession of its key. */
export function tlsContext(files: {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}): SecureContextOptions {
  return {
    ...files,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
