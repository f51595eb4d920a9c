/**
 * Whether a submission that a client handed to this node may go into its lane. What is refused here is
 * refused because it could not execute, never because it might not: everything in doubt goes into
 * the chain and is decided there, by all alike (executor.ts).
 */
import { fromHex } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import type { Cluster, ConsensusLimits } from '../genesis.ts';
import type { Digest, Millis, PublicKey } from '../types.ts';
import { validityMsMax } from './idempotency.ts';
import type { Place } from './places.ts';
import { refusal, type Refusal } from './refusals.ts';
import type { State } from './state.ts';
import type { Submission } from './submission-reader.ts';

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'executed'; readonly place: Place }
  /** It can not execute any more, for this reason; whether it did, only the log knows. */
  | { readonly kind: 'over'; readonly code: ChainRefusal }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const ADMITTED: Admission = { kind: 'admitted' };

const REASONS = {
  seq_reused: 'another submission was executed under this seq',
  seq_too_old:
    'the seq lies below the window of this client key: it was not and will not be executed',
  idempotency_key_reused: 'other transactions were executed under this idempotency key',
  expired: 'validUntil passed: it was not and will not be executed',
  valid_until_too_far:
    'validUntil lay too far ahead of the time of its block: choose an earlier one',
};

/** Why the chain refuses a submission. */
export type ChainRefusal = keyof typeof REASONS;

export function refusedAs(code: ChainRefusal): Refusal {
  return refusal(code, REASONS[code]);
}

export class Admitter {
  readonly #crypto: Crypto;
  readonly #limits: ConsensusLimits;
  readonly #ownKey: PublicKey;
  readonly #validators: ReadonlySet<PublicKey>;
  readonly #state: State;

  constructor(crypto: Crypto, cluster: Cluster, ownKey: PublicKey, state: State) {
    this.#crypto = crypto;
    this.#limits = cluster.genesis.limits;
    this.#ownKey = ownKey;
    this.#validators = new Set(cluster.genesis.validators.map(({ publicKey }) => publicKey));
    this.#state = state;
  }

  /** `time`: of the newest block executed here; `now`: this node's clock. */
  admit(submission: Submission, id: Digest, time: Millis, now: Millis): Admission {
    const standing = this.#state.standing(submission, fromHex(id));
    if (standing.kind === 'executed') return standing;
    const { validUntil } = submission;
    if (validUntil <= time) return { kind: 'over', code: 'expired' };
    // A cluster at rest has old blocks: the next one will have a time near this clock.
    const ahead = Math.max(time, now - this.#limits.clockDriftMsMax);
    const max = validityMsMax(submission, this.#limits);
    if (validUntil - ahead > max) {
      return refused(refusal('valid_until_too_far', `at most ${max} ms ahead of block time`));
    }
    if (standing.kind === 'refused' && this.#isSettled(submission)) {
      return { kind: 'over', code: standing.code };
    }
    return this.#vouch(submission);
  }

  /** Whether the refusal can be said without the chain (I43). */
  #isSettled({ kind, key, validUntil }: Submission): boolean {
    return kind === 'node' || this.#state.windows.isSettled(key, validUntil);
  }

  #vouch(submission: Submission): Admission {
    const signature = submission.signature();
    if (submission.kind === 'node') {
      if (submission.key === this.#ownKey) return ADMITTED;
      if (signature.length === 0 || !this.#validators.has(submission.key)) {
        return refused(refusal('wrong_node', 'only this node can vouch for the caller here'));
      }
    }
    if (this.#crypto.verify(submission.key, submission.signed(), signature)) return ADMITTED;
    return refused(
      refusal('bad_signature', 'the signature is not valid for the key and the bytes'),
    );
  }
}

function refused(why: Refusal): Admission {
  return { kind: 'refused', refusal: why };
}
