/** Ed25519 keys from names, so that a seed with real signatures is as repeatable as any other. */
import { createHash } from 'node:crypto';
import type { Signer } from '../../protocols/crypto.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';

/** SEQUENCE { 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING }: a PKCS#8 key before its 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export function realSigner(name: string): Signer {
  const seed = createHash('sha256').update(name).digest();
  const body = Buffer.concat([PKCS8_PREFIX, seed]).toString('base64');
  return signerFromPem(`-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`);
}
