/**
 * The node's own log: one JSON line per record on stderr, so that stdout stays for what a command
 * was asked for. Secrets are kept out twice: callers do not pass them, and the names below are cut.
 */
import { pino, type DestinationStream } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields first, then a sentence: `logger.warn({ peer }, 'peer refused')`. An error goes as `err`. */
export interface Logger {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
  /** A logger whose records carry these fields too. */
  child(fields: object): Logger;
}

const SECRET_FIELDS = [
  'token',
  'apiToken',
  'password',
  'authorization',
  'secret',
  'pem',
  'privateKey',
];
const STDERR = 2;

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly nodeId: string;
  /** Where the lines go: a file descriptor, or anything with `write` in tests. Default: stderr. */
  readonly destination?: number | DestinationStream;
}

export function createLogger({ level, nodeId, destination = STDERR }: LoggerOptions): Logger {
  const options = {
    level,
    base: { node: nodeId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
  };
  // Synchronous: the last words of a dying process are the ones that matter.
  const target =
    typeof destination === 'number'
      ? pino.destination({ dest: destination, sync: true })
      : destination;
  return pino(options, target);
}
