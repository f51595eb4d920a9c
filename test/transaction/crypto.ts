/** Signers for these tests, whose keys follow from a number, so that golden values stay the same. */
import type { Signer } from '../../protocols/crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';

export { nodeCrypto as crypto } from '../../src/crypto/node-crypto.ts';

/** What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export function testSigner(seed: number): Signer {
  const der = Buffer.concat([PKCS8_HEAD, Buffer.alloc(32, seed)]).toString('base64');
  return signerFromPem(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`);
}
