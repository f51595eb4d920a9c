/** Signed submissions of one key (rule E2). */
import type { Signer } from '../../protocols/crypto.ts';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Sequence } from './sequence.ts';

export interface SigningOptions {
  readonly clusterId: Digest;
  readonly signer: Signer;
  readonly sequence: Sequence;
  /** How long a submission may wait to be executed, in milliseconds, where nobody says otherwise. */
  readonly validityMs: number;
}

export class Signing {
  readonly #options: SigningOptions;

  constructor(options: SigningOptions) {
    this.#options = options;
  }

  /** Signs the calls as one submission: a fresh one, also when the same calls were signed before. */
  sign(calls: readonly Call[], validityMs = this.#options.validityMs): Uint8Array {
    const { clusterId, signer, sequence } = this.#options;
    const content = {
      kind: 'client',
      clusterId,
      key: signer.publicKey,
      seq: sequence.next(),
      validUntil: Date.now() + validityMs,
      transactions: calls,
    } as const;
    return signSubmission(content, signer);
  }
}
