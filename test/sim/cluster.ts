/** The genesis of a simulated cluster: small limits, so that a short run reaches them. */
import { utf8 } from '../../protocols/bytes.ts';
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import {
  canonicalJson,
  DEFAULT_LIMITS,
  type Cluster,
  type Genesis,
} from '../../protocols/genesis.ts';
import { quorumOf } from '../../protocols/quorum.ts';
import { START_MS } from './clock.ts';

export function makeCluster(
  crypto: Crypto,
  signers: readonly Signer[],
  runs: Pick<Genesis, 'modules' | 'programs'>,
): Cluster {
  const genesis: Genesis = {
    version: 1,
    name: 'simulated',
    createdAtMs: START_MS - 1_000,
    validators: signers.map(({ publicKey }, v) => ({ id: `validator-${v}`, publicKey })),
    limits: {
      ...DEFAULT_LIMITS,
      checkpointInterval: 4,
      laneBytesMax: 64 * 1024,
      batchBytesMax: 8 * 1024,
      submissionBytesMax: 4 * 1024,
      transactionBytesMax: 2 * 1024,
      transactionsPerSubmissionMax: 8,
      clockDriftMsMax: 1_000,
      validityMsMax: 10 * 60 * 1000,
    },
    ...runs,
  };
  return {
    id: crypto.hash(utf8(canonicalJson(genesis))),
    genesis,
    n: signers.length,
    quorum: quorumOf(signers.length),
  };
}
