/**
 * The options that every read of final state takes, beside the parameters of its own. Those that this
 * version lacks are refused by name, so that nobody takes a plain answer for a proved or a past one.
 */
import type { ReadOptions } from '../edge/edge.ts';
import { integerField } from '../edge/fields.ts';
import { Problem } from '../edge/problem.ts';
import { onlyParameters, type Request } from './request.ts';

const CONSISTENCY = 'consistency';
const AT_HEIGHT = 'atHeight';
const FINALIZED = 'finalized';
const LINEARIZABLE = 'linearizable';

/** Those of reads of state. */
export const READ_OPTIONS: readonly string[] = [CONSISTENCY, AT_HEIGHT];

const NOT_THERE_YET: Readonly<Record<string, string>> = {
  proof: 'proofs are not there yet: leave the parameter out',
};

/** How a read of state is to be answered. */
export function readOptions({ query }: Request): ReadOptions | Problem {
  for (const [name, detail] of Object.entries(NOT_THERE_YET)) {
    if (query.has(name)) return refused('unsupported_parameter', detail, name);
  }
  const consistency = query.get(CONSISTENCY) ?? FINALIZED;
  const past = query.get(AT_HEIGHT);
  if (past !== undefined) return atHeight(past, consistency);
  if (consistency === FINALIZED) return {};
  if (consistency === LINEARIZABLE) return { linearizable: true };
  const detail = `expected ${FINALIZED}, this node's own executed state, or ${LINEARIZABLE}`;
  return refused('unsupported_consistency', detail, CONSISTENCY);
}

function atHeight(text: string, consistency: string): ReadOptions | Problem {
  if (consistency !== FINALIZED) {
    const detail = `what there was at a height never changes: leave one of the two out`;
    return refused('unsupported_consistency', detail, CONSISTENCY);
  }
  const height = integerField(text, AT_HEIGHT);
  return height instanceof Problem ? height : { atHeight: height };
}

/** For a read of state that has no parameters of its own. */
export function onlyReadOptions(request: Request): ReadOptions | Problem {
  const options = readOptions(request);
  return options instanceof Problem ? options : (onlyParameters(request, READ_OPTIONS) ?? options);
}

/** For a read of what never changes once it is final, without parameters of its own. */
export function onlyFinalized(request: Request): Problem | null {
  if (request.query.has(AT_HEIGHT)) {
    const detail = 'what this reads never changes: leave the parameter out';
    return refused('unsupported_parameter', detail, AT_HEIGHT);
  }
  const options = onlyReadOptions(request);
  if (options instanceof Problem) return options;
  if (options.linearizable !== true) return null;
  const detail = `only ${FINALIZED} is offered here: what this node has executed`;
  return refused('unsupported_consistency', detail, CONSISTENCY);
}

function refused(code: string, detail: string, field: string): Problem {
  return new Problem(400, code, detail, { field });
}
