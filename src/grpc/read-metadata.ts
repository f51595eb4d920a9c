/**
 * The options of a read as metadata, for messages that have no field for them. What is no option is
 * refused by name, so that nobody takes a plain answer for a newer or a past one.
 */
import type { Metadata } from '@grpc/grpc-js';
import { integerField } from '../edge/fields.ts';
import { malformed, Problem } from '../edge/problem.ts';
import { oneOption, type StateReadOptions } from '../edge/read-options.ts';

const OURS = 'althing-';
const CONSISTENCY = 'althing-consistency';
const AT_HEIGHT = 'althing-at-height';
const PROOF = 'althing-proof';
const FINALIZED = 'finalized';
const LINEARIZABLE = 'linearizable';
const NAMES = {
  proof: PROOF,
  atHeight: AT_HEIGHT,
  linearizable: `${CONSISTENCY}=${LINEARIZABLE}`,
};

export function readOptions(metadata: Metadata): StateReadOptions | Problem {
  const unknown = onlyOptions(metadata, [CONSISTENCY, AT_HEIGHT, PROOF]);
  if (unknown !== null) return unknown;
  const consistency = text(metadata, CONSISTENCY) ?? FINALIZED;
  if (consistency !== FINALIZED && consistency !== LINEARIZABLE) {
    const detail = `expected ${FINALIZED} or ${LINEARIZABLE}`;
    return new Problem(400, 'unsupported_consistency', detail, { field: CONSISTENCY });
  }
  const linearizable = consistency === LINEARIZABLE;
  const proof = text(metadata, PROOF) ?? '0';
  if (proof !== '0' && proof !== '1') return malformed('expected 1 or 0', PROOF);
  const plain = { proof: proof === '1', linearizable };
  const past = text(metadata, AT_HEIGHT);
  if (past === undefined) return oneOption(plain, NAMES);
  const atHeight = integerField(past, AT_HEIGHT);
  if (atHeight instanceof Problem) return atHeight;
  return oneOption({ ...plain, atHeight }, NAMES);
}

/** The first name of ours that is not in `known`, as a Problem. */
export function onlyOptions(metadata: Metadata, known: readonly string[]): Problem | null {
  const names = Object.keys(metadata.getMap());
  const unknown = names.find((name) => name.startsWith(OURS) && !known.includes(name));
  if (unknown === undefined) return null;
  const detail =
    known.length === 0
      ? 'this method takes its options as fields of the message'
      : `known here are ${known.join(', ')}`;
  return malformed(detail, unknown);
}

export function text(metadata: Metadata, name: string): string | undefined {
  return metadata.get(name)[0]?.toString();
}
