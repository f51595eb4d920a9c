/**
 * Requests that cannot be decoded. grpc-js calls them an error of this node, though they are the client's
 * mistake: so the decoder passes them on as what they are, and the intake refuses them.
 */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { malformed, type Problem } from '../edge/problem.ts';
import { DEPTH_MAX } from '../edge/strict-json.ts';

/** A message that is none of its type, for the intake to refuse. */
export class Undecodable {}

/** The same methods, but what they cannot decode becomes Undecodable. */
export function markingUndecodable(service: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => {
      try {
        return method.requestDeserialize(bytes) as unknown;
      } catch {
        return new Undecodable();
      }
    };
    return [name, { ...method, requestDeserialize }] as const;
  });
  return Object.fromEntries(methods);
}

export function undecodable(): Problem {
  return malformed(
    `the message is none of this method's, or is nested too deep: a Struct has at most ${DEPTH_MAX} levels`,
  );
}
