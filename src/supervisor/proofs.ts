/**
 * Puts proofs together: what the transaction actor proves under the roots of a checkpoint, and the
 * blocks that certify that checkpoint, for which it waits, within a bound.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { AnswerResult } from '../../protocols/messages.ts';
import type { Certification } from '../../protocols/proofs/format.ts';
import type { Proved, ProofWanted } from '../../protocols/proofs/request.ts';
import type { Digest, Executed } from '../../protocols/types.ts';
import { isTransient } from '../log/connection.ts';
import type { Answered, ProofAnswer } from '../edge/port.ts';
import type { Certifications } from './certifications.ts';

/** Milliseconds: a cluster that certifies does so within about half a second (adr 4). */
const WAIT_MS = 5_000;
/** Between two looks at what is not there yet. */
const LOOK_EVERY_MS = 25;

type Refusal = Extract<AnswerResult, { ok: false }>;

export interface ProofParts {
  readonly clusterId: Digest;
  readonly certifications: Pick<Certifications, 'of'>;
  ask(wanted: ProofWanted): Promise<Answered>;
  /** Milliseconds that a proof may take; default 5000. */
  readonly waitMs?: number;
}

const NOT_CERTIFIED: Refusal = {
  ok: false,
  code: 'not_certified',
  message: 'no state that shows this is certified yet: ask again later, or ask another node',
};
const UNAVAILABLE: Refusal = {
  ok: false,
  code: 'log_unavailable',
  message: 'the database of this node does not answer: ask again later, or ask another node',
};

export class Proofs {
  readonly #parts: ProofParts;

  constructor(parts: ProofParts) {
    this.#parts = parts;
  }

  /** Within the time that it may take. Rejects only on what is our bug. */
  async prove(wanted: ProofWanted): Promise<ProofAnswer> {
    const wait = { over: false };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<ProofAnswer>((resolve) => {
      timer = setTimeout(() => {
        wait.over = true;
        resolve(refusedAt(0, NOT_CERTIFIED));
      }, this.#parts.waitMs ?? WAIT_MS);
    });
    try {
      return await Promise.race([this.#prove(wanted, wait), late]);
    } finally {
      wait.over = true;
      clearTimeout(timer);
    }
  }

  async #prove(wanted: ProofWanted, wait: { readonly over: boolean }): Promise<ProofAnswer> {
    for (;;) {
      const { height, result } = await this.#parts.ask(wanted);
      if (result.ok) {
        const { executed, claims, result: shown } = result.value as Proved;
        const certification = await this.#certification(executed, wait);
        if (certification === 'unavailable') return refusedAt(height, UNAVAILABLE);
        if (certification !== 'skipped') {
          const proof = { clusterId: this.#parts.clusterId, certification, claims };
          return { ok: true, proof, executed, result: shown };
        }
      } else if (result.code !== 'not_logged') return { ok: false, height, result };
      if (wait.over) return refusedAt(height, NOT_CERTIFIED);
      await pause(LOOK_EVERY_MS);
    }
  }

  async #certification(
    executed: Executed,
    wait: { readonly over: boolean },
  ): Promise<Certification | 'skipped' | 'unavailable'> {
    for (;;) {
      try {
        const found = await this.#parts.certifications.of(executed);
        if (found !== 'waiting') return found;
      } catch (error) {
        if (isTransient(error)) return 'unavailable';
        throw error;
      }
      if (wait.over) return 'skipped';
      await pause(LOOK_EVERY_MS);
    }
  }
}

function refusedAt(height: number, result: Refusal): ProofAnswer {
  return { ok: false, height, result };
}
