/**
 * A client as small as it gets: signs submissions, sends their bytes, and sends the same bytes again
 * when a node is busy or away, which executes them once all the same (rule E2).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Signer } from '../../protocols/crypto.ts';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';

const SUBMISSION_TYPE = 'application/vnd.althing.submission';
/** As long is what was signed sent again: afterwards it never executes. */
const VALID_MS = 60_000;
const ATTEMPT_MS = 10_000;
const RETRY_MS = 200;

export interface Receipt {
  readonly status: 'ok' | 'failed';
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Answer {
  readonly height: number;
  readonly receipts: readonly Receipt[];
}

/** Signs for one key. Its sequence numbers follow the clock, so that they rise over restarts, too. */
export class DemoClient {
  readonly #clusterId: Digest;
  readonly #signer: Signer;
  #seq = Date.now();

  constructor(clusterId: Digest, signer: Signer) {
    this.#clusterId = clusterId;
    this.#signer = signer;
  }

  sign(transactions: readonly Call[]): Uint8Array {
    const content = {
      kind: 'client' as const,
      clusterId: this.#clusterId,
      key: this.#signer.publicKey,
      seq: this.#seq++,
      validUntil: Date.now() + VALID_MS,
      transactions,
    };
    return signSubmission(content, this.#signer);
  }
}

/** Resolves when the submission is final. Rejects when it is refused, or for too long not answered. */
export async function submit(url: string, bytes: Uint8Array, stop: AbortSignal): Promise<Answer> {
  const deadline = Date.now() + VALID_MS;
  for (;;) {
    const outcome = await attempt(url, bytes, stop);
    if ('receipts' in outcome) return outcome;
    if (!outcome.retry || Date.now() > deadline) throw new Error(`${url}: ${outcome.reason}`);
    await pause(RETRY_MS, undefined, { signal: stop });
  }
}

type Refusal = { readonly reason: string; readonly retry: boolean };

async function attempt(
  url: string,
  body: Uint8Array,
  stop: AbortSignal,
): Promise<Answer | Refusal> {
  try {
    const response = await fetch(`${url}/api/v11/transactions`, {
      method: 'POST',
      headers: { 'content-type': SUBMISSION_TYPE },
      body: body as Uint8Array<ArrayBuffer>,
      signal: AbortSignal.any([stop, AbortSignal.timeout(ATTEMPT_MS)]),
    });
    if (response.status === 200) return (await response.json()) as Answer;
    // 504: perhaps executed; what a client signed executes once, however often it is sent.
    return { reason: await response.text(), retry: [429, 503, 504].includes(response.status) };
  } catch (error) {
    if (stop.aborted) throw error;
    return { reason: String(error), retry: true };
  }
}
