/**
 * Signed submissions of one key (rule E2).
 *
 * X10. The same calls are signed anew only where it is known that what was signed before never executes:
 *      another submission has its seq, or the window has passed it, and f + 1 nodes say so, or one
 *      that is believed.
 */
import type { Signer } from '../../protocols/crypto.ts';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import { encoded } from './call-args.ts';
import { AlthingError } from './errors.ts';
import { Sequence } from './sequence.ts';

export interface SigningOptions {
  readonly clusterId: Digest;
  readonly signer: Signer;
  /** How long a submission may wait to be executed, in milliseconds, where nobody says otherwise. */
  readonly validityMs: number;
  /** For a client that counts by itself: it is told when a seq is refused. */
  readonly firstSeq?: number | undefined;
}

/** What the cluster says of a seq, once for all: no submission under it executes any more. */
const GONE = new Set(['seq_too_old', 'seq_reused']);

export function isSeqGone({ code }: AlthingError): boolean {
  return GONE.has(code);
}

/** From the clock beyond any seq there is. */
const TRIES_MAX = 24;

export class Signing {
  readonly #options: SigningOptions;
  readonly #sequence: Sequence;

  constructor(options: SigningOptions) {
    this.#options = options;
    this.#sequence = new Sequence(options.firstSeq);
  }

  /** Signs the calls as one submission: a fresh one, also when the same calls were signed before. */
  sign(calls: readonly Call[], validityMs?: number): Uint8Array {
    return this.#sign(calls, this.#sequence.next(), validityMs);
  }

  /**
   * Signs the calls and sends them, again under another seq where the one before never executes, if who
   * says so `isBelieved`. Throws what `send` throws.
   */
  async send<T>(
    calls: readonly Call[],
    send: (bytes: Uint8Array) => Promise<T>,
    isBelieved: boolean,
  ): Promise<T> {
    const sequence = this.#sequence;
    let seq = sequence.next();
    for (let tries = 1; ; tries++) {
      sequence.open(seq);
      try {
        return await send(this.#sign(calls, seq));
      } catch (error) {
        const isGone = error instanceof AlthingError && isSeqGone(error);
        const counts = this.#options.firstSeq !== undefined;
        if (!isGone || !isBelieved || counts || tries === TRIES_MAX) throw error;
      } finally {
        sequence.close(seq);
      }
      seq = sequence.nextAfter(tries);
    }
  }

  #sign(calls: readonly Call[], seq: number, validityMs = this.#options.validityMs): Uint8Array {
    const { clusterId, signer } = this.#options;
    const content = {
      kind: 'client',
      clusterId,
      key: signer.publicKey,
      seq,
      validUntil: Date.now() + validityMs,
      transactions: calls,
    } as const;
    return encoded(calls, () => signSubmission(content, signer));
  }
}
