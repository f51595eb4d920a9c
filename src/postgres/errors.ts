/**
 * What can go wrong with the embedded server, as codes; every message says what to do about it.
 */
import type { Logger } from '../logger.ts';

export type PostgresErrorCode =
  | 'no_binaries'
  | 'cannot_run'
  | 'port_taken'
  | 'wrong_version'
  | 'initialise_failed'
  | 'start_failed'
  | 'start_timeout'
  | 'stop_failed'
  | 'bad_name';

export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly code: PostgresErrorCode;
  constructor(code: PostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the server's life is reported to. */
export type PostgresLogger = Pick<Logger, 'info' | 'warn'>;
