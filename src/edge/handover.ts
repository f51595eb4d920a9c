/**
 * Hands submissions to the node and waits for what becomes of them, within a bound.
 *
 * N3. An outcome that is not known is never presented as one: when the bound passes first, or the node
 *     lost sight of the submission, the answer says so and where to look.
 */
import type { Crypto } from '../../protocols/crypto.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Meter } from './meter.ts';
import { statusUrl, type Outcome, type Wait } from './outcome.ts';
import { OUTCOME_UNKNOWN, type EdgePort, type Submitted } from './port.ts';
import { Problem } from './problem.ts';
import { refusalProblem } from './refusal-problems.ts';

/** Up to here a copy, for the rare case that its id is wanted later, is cheaper than the hash. */
const COPIED_BYTES_MAX = 4_096;

/** A submission as it goes to the node. */
export interface Parcel {
  /** Belongs to the node from now on, which may transfer them away. */
  readonly bytes: Uint8Array;
  /** How many of them, from the start, its id is the hash of. */
  readonly signedLength: number;
  readonly txCount: number;
  readonly exactlyOnce: boolean;
}

export class Handover {
  readonly #port: EdgePort;
  readonly #crypto: Crypto;
  readonly #meter: Meter;

  constructor(port: EdgePort, crypto: Crypto, meter: Meter) {
    this.#port = port;
    this.#crypto = crypto;
    this.#meter = meter;
  }

  hand(parcel: Parcel, wait: Wait): Promise<Outcome | Problem> {
    const idOf = this.#idLater(parcel);
    const startedMs = performance.now();
    const until = wait.until === 'accepted' ? 'admitted' : undefined;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const why = `not ${until ?? 'final'} within ${wait.timeoutMs} ms`;
        resolve(unknownOutcome(parcel, idOf(), why));
      }, wait.timeoutMs);
      this.#port.submit(parcel.bytes, until).then((result) => {
        clearTimeout(timer);
        if (result.ok && result.receipts !== null) {
          this.#meter.recordFinality(performance.now() - startedMs);
        }
        resolve(told(parcel, wait, result, idOf));
      }, reject);
    });
  }

  /** The id, computed only if somebody asks: the node hashes the submission anyway. */
  #idLater({ bytes, signedLength }: Parcel): () => Digest {
    if (bytes.length > COPIED_BYTES_MAX) {
      const id = this.#crypto.hash(bytes.subarray(0, signedLength));
      return () => id;
    }
    const copy = new Uint8Array(bytes.subarray(0, signedLength));
    return () => this.#crypto.hash(copy);
  }
}

function told(
  parcel: Parcel,
  { until }: Wait,
  result: Submitted,
  idOf: () => Digest,
): Outcome | Problem {
  if (!result.ok) {
    return result.code === OUTCOME_UNKNOWN
      ? unknownOutcome(parcel, idOf(), result.message)
      : refusalProblem(result);
  }
  const { txCount, exactlyOnce } = parcel;
  const { receipts } = result;
  return until === 'accepted' || receipts === null
    ? { kind: 'accepted', id: idOf(), txCount, exactlyOnce }
    : { kind: 'final', receipts, exactlyOnce };
}

/** `Retry-After` only where a retry cannot execute twice: clients obey it without asking anybody. */
function unknownOutcome({ exactlyOnce }: Parcel, id: Digest, why: string): Problem {
  const advice = exactlyOnce
    ? 'ask at statusUrl, or send the same request again'
    : 'ask at statusUrl: sent again without Idempotency-Key it may execute twice';
  return new Problem(
    504,
    OUTCOME_UNKNOWN,
    `${why}: it may have become final, or still become so, or not; ${advice}`,
    { ...(exactlyOnce ? { retryAfterMs: 1_000 } : {}), extras: { id, statusUrl: statusUrl(id) } },
  );
}
