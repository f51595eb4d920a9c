/**
 * The options that every read of final state takes, beside the parameters of its own. Those that this
 * version lacks are refused by name, so that nobody takes a plain answer for a proved or a past one.
 */
import { Type } from '@sinclair/typebox';
import { Problem } from '../edge/problem.ts';
import { PROBLEMS, type Parameter, type Problems } from './operation.ts';
import { onlyParameters, type Request } from './request.ts';

export const CONSISTENCY = 'consistency';
const FINALIZED = 'finalized';

export const READ_PARAMETERS: readonly Parameter[] = [
  {
    name: CONSISTENCY,
    in: 'query',
    description: 'what the answer reflects: `finalized` is this node’s own executed state',
    schema: Type.Literal(FINALIZED),
  },
];

export const READ_PROBLEMS: readonly Problems[] = [
  PROBLEMS.parameters,
  PROBLEMS.negotiated,
  PROBLEMS.read,
];

const NOT_THERE_YET: Readonly<Record<string, string>> = {
  proof: 'proofs are not there yet: leave the parameter out',
  atHeight: 'reads of the past are not there yet: leave the parameter out',
};

/** Null when this node offers what is asked for. */
export function readOptions({ query }: Request): Problem | null {
  for (const [name, detail] of Object.entries(NOT_THERE_YET)) {
    if (query.has(name)) return refused('unsupported_parameter', detail, name);
  }
  if ((query.get(CONSISTENCY) ?? FINALIZED) === FINALIZED) return null;
  const detail = `this node offers ${FINALIZED}, its own executed state; others are not there yet`;
  return refused('unsupported_consistency', detail, CONSISTENCY);
}

/** For a read that has no parameters of its own. */
export function onlyReadOptions(request: Request): Problem | null {
  return readOptions(request) ?? onlyParameters(request, [CONSISTENCY]);
}

function refused(code: string, detail: string, field: string): Problem {
  return new Problem(400, code, detail, { field });
}
