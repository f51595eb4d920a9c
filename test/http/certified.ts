/** What certifies the blocks of the cluster behind the edges. */
import type { Signer } from '../../protocols/crypto.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import { blockDigest, voteBytes } from '../../protocols/structures.ts';
import type { Block, Certificate, Digest } from '../../protocols/types.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import type { FinalChain } from '../../src/supervisor/certifications.ts';

export function digestOf(cluster: Cluster, block: Block): Digest {
  return blockDigest(nodeCrypto, cluster.id, block);
}

/** Of the first three validators. */
export function certificateOf(
  cluster: Cluster,
  signers: readonly Signer[],
  block: Block,
): Certificate {
  const { epoch, term, height } = block;
  const content = {
    kind: 'commit',
    epoch,
    term,
    height,
    block: digestOf(cluster, block),
    first: false,
  } as const;
  const bytes = voteBytes(cluster.id, content);
  return {
    ...content,
    votes: [0, 1, 2].map((voter) => ({ voter, signature: signers[voter]!.sign(bytes) })),
  };
}

/** Of blocks that all have a certificate. */
export function chainOf(
  cluster: Cluster,
  signers: readonly Signer[],
  blocks: readonly Block[],
): FinalChain {
  return {
    get newest() {
      return blocks.length;
    },
    entries: (from, to) =>
      Promise.resolve(
        blocks
          .slice(from, to)
          .map((block) => ({ block, certificate: certificateOf(cluster, signers, block) })),
      ),
  };
}
