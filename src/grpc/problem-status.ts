/**
 * A Problem as a gRPC status. The code of the interface and the time to retry travel as metadata
 * that any client can read, as `grpc-retry-pushback-ms`, which gRPC's own retries obey, and as the
 * richer error model (google.rpc.Status with ErrorInfo, BadRequest and RetryInfo).
 */
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import type { Problem } from '../edge/problem.ts';
import { message, text, varint, type Bytes } from './protobuf-writer.ts';

const CODES: ReadonlyMap<number, status> = new Map([
  [400, status.INVALID_ARGUMENT],
  [401, status.UNAUTHENTICATED],
  [403, status.PERMISSION_DENIED],
  [404, status.NOT_FOUND],
  [406, status.INVALID_ARGUMENT],
  [408, status.DEADLINE_EXCEEDED],
  [409, status.ABORTED],
  [410, status.FAILED_PRECONDITION],
  [412, status.FAILED_PRECONDITION],
  [413, status.INVALID_ARGUMENT],
  [415, status.INVALID_ARGUMENT],
  [421, status.PERMISSION_DENIED],
  [422, status.INVALID_ARGUMENT],
  [429, status.RESOURCE_EXHAUSTED],
  [503, status.UNAVAILABLE],
  [504, status.DEADLINE_EXCEEDED],
]);

export function problemStatus(
  problem: Problem,
): Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  const code = CODES.get(problem.status) ?? status.INTERNAL;
  const metadata = new Metadata();
  metadata.set('althing-code', problem.code);
  if (problem.field !== null) metadata.set('althing-field', printable(problem.field));
  for (const [name, value] of Object.entries(problem.extras)) {
    metadata.set(`althing-${name.toLowerCase()}`, printable(String(value)));
  }
  if (problem.retryAfterMs !== null && problem.status === 503) {
    metadata.set('grpc-retry-pushback-ms', String(problem.retryAfterMs));
  }
  metadata.set('grpc-status-details-bin', Buffer.from(richStatus(code, problem)));
  return { code, details: problem.detail, metadata };
}

/** Metadata values are printable ASCII; a field may quote what a client sent. */
function printable(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?');
}

function richStatus(code: status, problem: Problem): Bytes {
  const details = [any('ErrorInfo', [text(1, problem.code), text(2, 'althing')])];
  if (problem.field !== null) {
    const violation = message(1, [text(1, problem.field), text(2, problem.detail)]);
    details.push(any('BadRequest', [violation]));
  }
  if (problem.retryAfterMs !== null) {
    const seconds = Math.floor(problem.retryAfterMs / 1000);
    const nanos = (problem.retryAfterMs % 1000) * 1_000_000;
    details.push(any('RetryInfo', [message(1, [varint(1, seconds), varint(2, nanos)])]));
  }
  return [
    ...varint(1, code),
    ...text(2, problem.detail),
    ...details.flatMap((detail) => message(3, [detail])),
  ];
}

/** google.protobuf.Any */
function any(type: string, fields: readonly Bytes[]): Bytes {
  return [...text(1, `type.googleapis.com/google.rpc.${type}`), ...message(2, fields)];
}
