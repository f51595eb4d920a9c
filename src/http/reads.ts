/**
 * The options that every read of final state takes, beside the parameters of its own. Those that this
 * version lacks are refused by name, so that nobody takes a plain answer for a proved or a past one.
 */
import { Problem } from '../edge/problem.ts';
import { onlyParameters, type Request } from './request.ts';

export const CONSISTENCY = 'consistency';
const FINALIZED = 'finalized';

export const PROOF = 'proof';

const NOT_THERE_YET: Readonly<Record<string, string>> = {
  atHeight: 'reads of the past are not there yet: leave the parameter out',
};

/**
 * Whether the answer is to come with a proof. A block comes with its certificate, and is read without
 * this.
 */
export function wantsProof({ query }: Request): boolean | Problem {
  const asked = query.get(PROOF);
  if (asked === undefined || asked === '1') return asked === '1';
  return refused('malformed', 'expected 1, or leave the parameter out', PROOF);
}

/** Null when this node offers what is asked for. */
export function readOptions({ query }: Request): Problem | null {
  for (const [name, detail] of Object.entries(NOT_THERE_YET)) {
    if (query.has(name)) return refused('unsupported_parameter', detail, name);
  }
  if ((query.get(CONSISTENCY) ?? FINALIZED) === FINALIZED) return null;
  const detail = `this node offers ${FINALIZED}, its own executed state; others are not there yet`;
  return refused('unsupported_consistency', detail, CONSISTENCY);
}

/** For a read that has no parameters of its own; `provable` if its answer may come with a proof. */
export function onlyReadOptions(request: Request, provable?: 'provable'): Problem | null {
  const known = provable === undefined ? [CONSISTENCY] : [CONSISTENCY, PROOF];
  return readOptions(request) ?? onlyParameters(request, known);
}

function refused(code: string, detail: string, field: string): Problem {
  return new Problem(400, code, detail, { field });
}
