/**
 * How the node's refusals (protocols/transaction/refusals.ts) show to clients, and the refusals that
 * an edge can say at once because they hold for every write.
 */
import type { AnswerResult } from '../../protocols/messages.ts';
import type { RefusalCode } from '../../protocols/transaction/refusals.ts';
import type { HealthChecks } from './health.ts';
import type { EdgePort, Submitted } from './port.ts';
import { Problem, unavailable, type ProblemExtras } from './problem.ts';

const STATUSES: Readonly<Record<RefusalCode, number>> = {
  malformed: 400,
  too_large: 413,
  wrong_cluster: 400,
  bad_signature: 401,
  wrong_node: 403,
  valid_until_too_far: 400,
  expired: 410,
  seq_reused: 409,
  seq_too_old: 409,
  idempotency_key_reused: 422,
  in_progress: 409,
  receipts_pending: 503,
  lane_full: 503,
  overloaded: 503,
  catching_up: 503,
  draining: 503,
};

const FIELDS: Readonly<Partial<Record<RefusalCode, string>>> = {
  bad_signature: 'signature',
  valid_until_too_far: 'validUntil',
  expired: 'validUntil',
  seq_reused: 'seq',
  seq_too_old: 'seq',
  idempotency_key_reused: 'Idempotency-Key',
  in_progress: 'Idempotency-Key',
};

const RETRY_MS = 1_000;

export function refusalProblem(refused: Extract<Submitted, { ok: false }>): Problem {
  const code = refused.code as RefusalCode;
  const status = Object.hasOwn(STATUSES, code) ? STATUSES[code] : 500;
  const field = Object.hasOwn(FIELDS, code) ? FIELDS[code] : undefined;
  const retry = refused.retryAfterMs ?? (status === 503 ? RETRY_MS : undefined);
  return new Problem(status, code, refused.message, {
    ...(field === undefined ? {} : { field }),
    ...(retry === undefined ? {} : { retryAfterMs: retry }),
  });
}

/**
 * A read that a module, or the node, refused.
 *
 * @param more beside the refusal: such as the proof that what was asked for is not there, and the height
 *   as of which it is not
 */
export function answerProblem(
  { code, message }: Extract<AnswerResult, { ok: false }>,
  more: { readonly extras?: ProblemExtras; readonly height?: number } = {},
): Problem {
  const status = Object.hasOwn(READ_STATUSES, code) ? READ_STATUSES[code] : undefined;
  if (status !== undefined) {
    const isPassing = status === 503 || status === 409;
    const retry = isPassing ? { retryAfterMs: RETRY_MS } : {};
    return new Problem(status, code, message, { ...retry, ...more });
  }
  return new Problem(statusOfRefusal(code), code, message, more);
}

/** The status that a module's refusal has. */
export function statusOfRefusal(code: string): 404 | 422 {
  return ABSENT.test(code) ? 404 : 422;
}

/** The node's own codes; modules choose theirs. */
const READ_STATUSES: Readonly<Record<string, number>> = {
  overloaded: 503,
  catching_up: 503,
  draining: 503,
  no_quorum: 503,
  not_certified: 503,
  log_unavailable: 503,
  in_progress: 409,
  height_ahead: 404,
  height_pruned: 410,
  module_fault: 500,
};
/** A module's code that says by its name that a thing is not there. */
const ABSENT = /^unknown_|(?:^|_)not_found$/;

/** The state of the cluster does not change faster than this: one look serves many requests. */
const LOOK_EVERY_MS = 20;

/** Refuses writes that cannot become final now: the client learns it at once, with the reason. */
export class WriteGate {
  readonly #port: EdgePort;
  readonly #health: HealthChecks;
  #lookedAtMs = -Infinity;
  #refusal: Problem | null = null;

  constructor(port: EdgePort, health: HealthChecks) {
    this.#port = port;
    this.#health = health;
  }

  check(): Problem | null {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs > LOOK_EVERY_MS) {
      this.#lookedAtMs = nowMs;
      this.#refusal = this.#look();
    }
    return this.#refusal;
  }

  #look(): Problem | null {
    const live = this.#port.live();
    if (live.draining) {
      return unavailable('draining', 'this node is about to stop: ask another node', RETRY_MS);
    }
    if (!live.log.writable) {
      return unavailable('log_unwritable', `the log takes no writes: ${live.log.detail}`, RETRY_MS);
    }
    const quorum = this.#health.quorum(live);
    if (quorum.status === 'UP') return null;
    return unavailable('no_quorum', String(quorum.data['reason']), RETRY_MS);
  }
}
