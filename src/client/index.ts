/** What `althing/client` exports to Node: signing by libsodium, hashing by a native BLAKE3. */
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { signerFromSeed } from '../crypto/signer.ts';
import { clientWith } from './entry.ts';

export const { connect, generateKey, keyFromSeed, keyFromPem } = clientWith(
  nodeCrypto,
  signerFromSeed,
);
export * from './exports.ts';
