/**
 * What can go wrong with the log, as codes. None of these errors ever carries a password.
 *
 * `identity_taken` ends the process with exit code 5, `log_altered` with 3, `unsafe_server`,
 * `wrong_identity`, `wrong_schema`, `bad_heads` and `bad_url` with 2 (supervisor/supervision.ts).
 */
import type { Logger } from '../logger.ts';

export type LogErrorCode =
  /** Another process writes, or wrote, under this identity. */
  | 'identity_taken'
  /** A stored row is not what was written. */
  | 'log_altered'
  /** The server may lose what it has acknowledged. */
  | 'unsafe_server'
  /** The database belongs to another node or another cluster. */
  | 'wrong_identity'
  /** The schema was made by a newer version. */
  | 'wrong_schema'
  /** The file of remembered heads is there and cannot be used. */
  | 'bad_heads'
  | 'bad_url'
  /** The server could not be reached, or refused, for longer than the bound. */
  | 'unavailable'
  | 'closed';

export class LogError extends Error {
  override readonly name: string = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The place of a row: part 0 is the event itself, parts from 1 on are the slices of its body. */
export interface RowPlace {
  readonly stream: string;
  readonly seq: number;
  readonly part: number;
}

export type Alteration = 'changed' | 'missing' | 'added';

/** The first row found that is not what was written. */
export class LogAltered extends LogError {
  override readonly name = 'LogAltered';
  readonly place: RowPlace;
  readonly alteration: Alteration;
  constructor(place: RowPlace, alteration: Alteration, detail: string) {
    const row = `(${place.stream}, ${place.seq}, ${place.part})`;
    super(
      'log_altered',
      `log row ${row} ${alteration}: ${detail}. Leave this node stopped, and keep its database and folder: docs/operating.md says what to do`,
    );
    this.place = place;
    this.alteration = alteration;
  }
}

/** What the log reports besides errors. */
export type LogLogger = Pick<Logger, 'info' | 'warn'>;
