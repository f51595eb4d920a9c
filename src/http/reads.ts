/**
 * The options that reads of final state take, beside the parameters of their own. What an option does not
 * do is refused by name, so that nobody takes a plain answer for a proved, a newer or a past one.
 */
import type { ReadOptions } from '../edge/edge.ts';
import { integerField } from '../edge/fields.ts';
import { Problem } from '../edge/problem.ts';
import { onlyParameters, type Request } from './request.ts';

const CONSISTENCY = 'consistency';
const AT_HEIGHT = 'atHeight';
export const PROOF = 'proof';
const FINALIZED = 'finalized';
const LINEARIZABLE = 'linearizable';

/** Those of reads of state. */
export const READ_OPTIONS: readonly string[] = [CONSISTENCY, AT_HEIGHT, PROOF];

export interface StateReadOptions extends ReadOptions {
  /** The answer is to come with a proof. */
  readonly proof: boolean;
}

/**
 * Whether the answer is to come with a proof. A block comes with its certificate, and is read without
 * this.
 */
export function wantsProof({ query }: Request): boolean | Problem {
  const asked = query.get(PROOF);
  if (asked === undefined || asked === '1') return asked === '1';
  return refused('malformed', 'expected 1, or leave the parameter out', PROOF);
}

/** How a read of state is to be answered. One option at most: none of them says what two would mean. */
export function readOptions(request: Request): StateReadOptions | Problem {
  const proof = wantsProof(request);
  if (proof instanceof Problem) return proof;
  const isLinearizable = wantsLinearizable(request);
  if (isLinearizable instanceof Problem) return isLinearizable;
  const past = request.query.get(AT_HEIGHT);
  const asked = [proof, isLinearizable, past !== undefined].filter(Boolean).length;
  if (asked > 1) {
    const detail = `choose one of ${PROOF}, ${AT_HEIGHT} and ${CONSISTENCY}=${LINEARIZABLE}`;
    return refused('unsupported_parameter', detail, past === undefined ? CONSISTENCY : AT_HEIGHT);
  }
  if (past === undefined) return { proof, linearizable: isLinearizable };
  const atHeight = integerField(past, AT_HEIGHT);
  return atHeight instanceof Problem ? atHeight : { proof, atHeight };
}

function wantsLinearizable({ query }: Request): boolean | Problem {
  const consistency = query.get(CONSISTENCY) ?? FINALIZED;
  if (consistency === FINALIZED) return false;
  if (consistency === LINEARIZABLE) return true;
  const detail = `expected ${FINALIZED}, this node's own executed state, or ${LINEARIZABLE}`;
  return refused('unsupported_consistency', detail, CONSISTENCY);
}

/** For a read of state that has no parameters of its own. */
export function onlyReadOptions(request: Request): StateReadOptions | Problem {
  const options = readOptions(request);
  return options instanceof Problem ? options : (onlyParameters(request, READ_OPTIONS) ?? options);
}

/**
 * For a read that has no parameters of its own and is answered from what this node has executed;
 * `provable` if its answer may come with a proof.
 */
export function onlyFinalized(request: Request, provable?: 'provable'): Problem | null {
  const isLinearizable = wantsLinearizable(request);
  if (isLinearizable instanceof Problem) return isLinearizable;
  if (isLinearizable) {
    const detail = `only ${FINALIZED} is offered here: what this node has executed`;
    return refused('unsupported_consistency', detail, CONSISTENCY);
  }
  if (request.query.has(AT_HEIGHT)) {
    const detail = 'this is not read as of a height: leave the parameter out';
    return refused('unsupported_parameter', detail, AT_HEIGHT);
  }
  return onlyParameters(request, provable === undefined ? [CONSISTENCY] : [CONSISTENCY, PROOF]);
}

function refused(code: string, detail: string, field: string): Problem {
  return new Problem(400, code, detail, { field });
}
