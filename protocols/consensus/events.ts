/** What consensus writes down: the safety record's history (stream `consensus`); and the chain (chain.ts). */
import { nullable, struct, u53, union, type Infer } from '../codec.ts';
import { block, certificate, handOver, timeout, timeoutCertificate, vote } from '../structures.ts';

export const CONSENSUS_STREAM = 'consensus';

/** Each is durable before what it stands for leaves the node (rule P1). */
export type ConsensusEvent =
  /** The node is in `term`; `by` is the certificate that closed the term before, if that was it. */
  | {
      readonly kind: 'termEntered';
      readonly epoch: number;
      readonly term: number;
      readonly by: Infer<typeof timeoutCertificate> | null;
    }
  /** A prepare vote, with the block it names. */
  | {
      readonly kind: 'prepareVoted';
      readonly vote: Infer<typeof vote>;
      readonly block: Infer<typeof block>;
    }
  /** A commit vote, with the full certificate behind it. */
  | {
      readonly kind: 'commitVoted';
      readonly vote: Infer<typeof vote>;
      readonly certificate: Infer<typeof certificate>;
    }
  /** The term is abandoned for good. */
  | {
      readonly kind: 'timeoutCast';
      readonly timeout: Infer<typeof timeout>;
      readonly highest: Infer<typeof certificate> | null;
      readonly handOver: Infer<typeof handOver> | null;
    };

export const consensusEvent = union<ConsensusEvent>({
  termEntered: struct({ epoch: u53, term: u53, by: nullable(timeoutCertificate) }),
  prepareVoted: struct({ vote, block }),
  commitVoted: struct({ vote, certificate }),
  timeoutCast: struct({ timeout, highest: nullable(certificate), handOver: nullable(handOver) }),
});
