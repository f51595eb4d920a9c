/**
 * Everything that the edges refuse, as a value: one stable code, one HTTP status, one sentence that
 * says what to do, and the field at fault where there is one. HTTP shows it as problem details
 * (RFC 9457), gRPC as a status with the same code in its metadata.
 */

/** Members beside those of RFC 9457, such as the submission's id when its outcome is unknown. */
export type ProblemExtras = Readonly<Record<string, string | number | boolean | null>>;

/**
 * Both `detail` and `field` may quote what a client sent, and a gRPC client reads its trailers only up
 * to a few KiB.
 */
const TEXT_LENGTH_MAX = 200;
const LOG_RETRY_MS = 1_000;

export class Problem {
  readonly status: number;
  readonly code: string;
  /** At most TEXT_LENGTH_MAX characters, as `field`. */
  readonly detail: string;
  /** Where in the request: `transactions[3].args.amount`, `Idempotency-Key`. */
  readonly field: string | null;
  readonly retryAfterMs: number | null;
  readonly extras: ProblemExtras;
  /** Headers that belong to the status, such as `allow` to 405. */
  readonly headers: readonly (readonly [string, string])[];
  /** Executed height that a refused read reflects; null for the newest. */
  readonly height: number | null;
  /** The connection cannot be used after this answer. */
  readonly close: boolean;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      readonly field?: string;
      readonly retryAfterMs?: number;
      readonly extras?: ProblemExtras;
      readonly headers?: readonly (readonly [string, string])[];
      readonly height?: number;
      readonly close?: boolean;
    } = {},
  ) {
    this.status = status;
    this.code = code;
    this.detail = clip(detail);
    this.field = more.field === undefined ? null : clip(more.field);
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.extras = more.extras ?? {};
    this.headers = more.headers ?? [];
    this.height = more.height ?? null;
    this.close = more.close ?? false;
  }

  /** The body of an `application/problem+json` answer. */
  toJson(title: string): string {
    return JSON.stringify({
      ...this.extras,
      type: `urn:althing:problem:${this.code}`,
      title,
      status: this.status,
      code: this.code,
      detail: this.detail,
      ...(this.field === null ? {} : { field: this.field }),
      ...(this.retryAfterMs === null ? {} : { retryAfterMs: this.retryAfterMs }),
    });
  }
}

/** What could not be read at all, or has the wrong shape: 400. */
export function malformed(detail: string, field?: string): Problem {
  return new Problem(400, 'malformed', detail, field === undefined ? {} : { field });
}

/** Understood, but not acceptable to the module it is for: 422. */
export function unprocessable(code: string, detail: string, field?: string): Problem {
  return new Problem(422, code, detail, field === undefined ? {} : { field });
}

/** For now only: 503 with a time to retry. */
export function unavailable(code: string, detail: string, retryAfterMs: number): Problem {
  return new Problem(503, code, detail, { retryAfterMs });
}

export function logUnavailable(): Problem {
  const detail = 'the database of this node does not answer: ask again later, or ask another node';
  return unavailable('log_unavailable', detail, LOG_RETRY_MS);
}

/** Our bug: logged where it was caught, and nothing of it shown to the client. */
export function internalProblem(): Problem {
  return new Problem(500, 'internal', 'the node failed to answer; its log says why');
}

/** Never between the halves of a surrogate pair. */
function clip(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return text;
  return `${text.slice(0, TEXT_LENGTH_MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
