/** What can go wrong for a client, each with the code that the cluster, or the client, gives it. */

/** A request that was refused, or that no node answered. */
export class AlthingError extends Error {
  override readonly name: string = 'AlthingError';
  /** Stable, such as `invalid_args` or `no_node`. */
  readonly code: string;
  /** Of HTTP; 0 when no node answered. */
  readonly status: number;
  /** The part of the request at fault, such as `args.amount`; empty when it is none in particular. */
  readonly field: string;

  constructor(code: string, message: string, status = 0, field = '') {
    super(message);
    this.code = code;
    this.status = status;
    this.field = field;
  }
}

/** A transaction is final, and its module refused it: nothing but its receipt remains. */
export class TransactionFailed extends AlthingError {
  override readonly name = 'TransactionFailed';
  /** Of the transaction. */
  readonly id: string;
  readonly height: number;

  constructor(code: string, message: string, id: string, height: number, field = '') {
    super(code, message, 200, field);
    this.id = id;
    this.height = height;
  }
}

/**
 * Neither final nor refused when patience ended: it may have executed, or may still until it expires.
 * Sending the same again (`Client.resend`) finds out, and never executes twice.
 */
export class OutcomeUnknown extends AlthingError {
  override readonly name = 'OutcomeUnknown';
  /** Of the submission. */
  readonly id: string;
  /** What to send again. */
  readonly bytes: Uint8Array;

  /** `said`: by each node. */
  constructor(id: string, bytes: Uint8Array, said: string) {
    super('outcome_unknown', `no node told what became of submission ${id}: ${said}`);
    this.id = id;
    this.bytes = bytes;
  }
}
