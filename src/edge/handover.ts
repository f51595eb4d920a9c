/**
 * Hands submissions to the node and waits for what becomes of them, within a bound.
 *
 * N3. An outcome that is not known is never presented as one: when the bound passes first, the answer
 *     says so and where to look.
 */
import type { Crypto } from '../../protocols/crypto.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Meter } from './meter.ts';
import { statusUrl, type Outcome, type Wait } from './outcome.ts';
import type { EdgePort, Submitted } from './port.ts';
import { Problem } from './problem.ts';
import { refusalProblem } from './refusal-problems.ts';

/** A refusal of what was just handed over comes well within this time. */
const ACCEPTANCE_MS = 25;
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
    return new Promise((resolve, reject) => {
      const accepting = wait.until === 'accepted';
      const bound = accepting ? Math.min(ACCEPTANCE_MS, wait.timeoutMs) : wait.timeoutMs;
      const timer = setTimeout(() => {
        resolve(accepting ? accepted(parcel, idOf()) : unknownOutcome(idOf(), wait.timeoutMs));
      }, bound);
      this.#port.submit(parcel.bytes).then((result) => {
        clearTimeout(timer);
        if (result.ok) this.#meter.recordFinality(performance.now() - startedMs);
        resolve(accepting && result.ok ? accepted(parcel, idOf()) : told(parcel, result));
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

function told(parcel: Parcel, result: Submitted): Outcome | Problem {
  if (!result.ok) return refusalProblem(result);
  return { kind: 'final', receipts: result.receipts, exactlyOnce: parcel.exactlyOnce };
}

function accepted({ txCount, exactlyOnce }: Parcel, id: Digest): Outcome {
  return { kind: 'accepted', id, txCount, exactlyOnce };
}

function unknownOutcome(id: Digest, timeoutMs: number): Problem {
  return new Problem(
    504,
    'outcome_unknown',
    `not final within ${timeoutMs} ms: it may still become final or not; ask at statusUrl, ` +
      'or send the same request again',
    { retryAfterMs: 1_000, extras: { id, statusUrl: statusUrl(id) } },
  );
}
