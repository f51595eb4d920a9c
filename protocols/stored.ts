/** What this node wrote into its log, read back. */
import type { Schema } from './codec.ts';
import { InvariantViolation, type LogEvent } from './machine.ts';
import { unpackStructure } from './wire.ts';

/** The header of an event of our own log. Throws InvariantViolation. */
export function readEvent<T>(schema: Schema<T>, event: LogEvent): T {
  const decoded = unpackStructure(schema, event.header);
  if (decoded.ok) return decoded.value;
  throw new InvariantViolation(
    'log_unreadable',
    `${event.stream}/${event.seq} is not what was written there (${decoded.error}); run \`althing log verify\``,
  );
}
