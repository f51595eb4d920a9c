/** The genesis document, out of a file that the caller names: what everything else is checked against. */
import type { Verifier } from '../../protocols/certificates.ts';
import { clusterOf, type Cluster, type Genesis } from '../../protocols/genesis.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { GenesisError, parseGenesis } from '../init/genesis.ts';
import { readText, UsageError } from './command.ts';

/** Throws UsageError. */
export function genesisIn(file: string): Genesis {
  try {
    return parseGenesis(readText(file));
  } catch (error) {
    if (error instanceof GenesisError) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

/** Throws UsageError. */
export function verifierIn(file: string): Verifier & { readonly cluster: Cluster } {
  return { crypto: nodeCrypto, cluster: clusterOf(genesisIn(file), nodeCrypto) };
}
