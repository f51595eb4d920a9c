/** What `althing/client` exports to browsers: plain JavaScript, without WebCrypto. */
import { browserCrypto } from '../crypto/browser-crypto.ts';
import { signerFromSeed } from '../crypto/browser-signer.ts';
import { clientWith } from './entry.ts';

export const { connect, generateKey, keyFromSeed, keyFromPem } = clientWith(
  browserCrypto,
  signerFromSeed,
);
export * from './exports.ts';
