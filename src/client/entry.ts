/** The functions of the package's entries, over what a platform signs and hashes with. */
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import { Client, type ClientOptions } from './client.ts';
import { keysWith, type Keys } from './keys.ts';

export interface ConnectOptions extends Omit<ClientOptions, 'crypto'> {
  readonly crypto?: Crypto;
}

export interface ClientEntry extends Keys {
  /** A client of the cluster behind these nodes: see Client.connect. */
  readonly connect: (options: ConnectOptions) => Promise<Client>;
}

export function clientWith(
  crypto: Crypto,
  signerFromSeed: (seed: Uint8Array) => Signer,
): ClientEntry {
  return {
    ...keysWith(signerFromSeed),
    connect: (options) => Client.connect({ crypto, ...options }),
  };
}
