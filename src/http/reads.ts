/**
 * The options that reads of final state take, beside the parameters of their own. What an option does not
 * do is refused by name, so that nobody takes a plain answer for a proved, a newer or a past one.
 */
import { Type, type TProperties, type TSchema } from '@sinclair/typebox';
import { integerField } from '../edge/fields.ts';
import { Problem } from '../edge/problem.ts';
import { oneOption, type StateReadOptions } from '../edge/read-options.ts';
import { PROBLEMS, type Parameter, type Problems } from './operation.ts';
import { onlyParameters, type Request } from './request.ts';

const CONSISTENCY = 'consistency';
const AT_HEIGHT = 'atHeight';
export const PROOF = 'proof';
const FINALIZED = 'finalized';
const LINEARIZABLE = 'linearizable';
const NAMES = {
  proof: PROOF,
  atHeight: AT_HEIGHT,
  linearizable: `${CONSISTENCY}=${LINEARIZABLE}`,
};

export const READ_PARAMETERS: readonly Parameter[] = [
  {
    name: CONSISTENCY,
    in: 'query',
    description: 'what the answer reflects: `finalized` is this node’s own executed state',
    schema: Type.Literal(FINALIZED),
  },
];

const PROOF_PARAMETER: Parameter = {
  name: PROOF,
  in: 'query',
  description: '`1`: with a proof of it, as of the newest certified height that has it',
  schema: Type.Literal('1'),
};

/** Of a read whose answer may come with a proof. */
export const PROVABLE_PARAMETERS: readonly Parameter[] = [...READ_PARAMETERS, PROOF_PARAMETER];

/** Of a read of state: at most one of them but `finalized`. */
export const STATE_PARAMETERS: readonly Parameter[] = [
  {
    name: CONSISTENCY,
    in: 'query',
    description:
      '`finalized`: this node’s own executed state; `linearizable`: all that is final anywhere by now',
    schema: Type.Union([Type.Literal(FINALIZED), Type.Literal(LINEARIZABLE)]),
  },
  {
    name: AT_HEIGHT,
    in: 'query',
    description: 'what there was when the block of this height had been executed',
    schema: Type.Integer({ minimum: 0 }),
  },
  PROOF_PARAMETER,
];
const STATE_OPTIONS = STATE_PARAMETERS.map(({ name }) => name);

export const READ_PROBLEMS: readonly Problems[] = [
  PROBLEMS.parameters,
  PROBLEMS.negotiated,
  PROBLEMS.read,
];

export const STATE_PROBLEMS: readonly Problems[] = [
  ...READ_PROBLEMS,
  PROBLEMS.state,
  PROBLEMS.proof,
  PROBLEMS.height,
  PROBLEMS.confirmed,
];

/** The answer, or with `proof=1` the answer within its proof. */
export function provable(schema: TSchema): TSchema {
  return Type.Union([schema, proved(schema)]);
}

export function proved(schema: TSchema, named: TProperties = {}): TSchema {
  return Type.Object({
    height: Type.Integer({ minimum: 0, description: 'the certified height' }),
    ...named,
    result: schema,
    proof: Type.String({ description: 'canonical bytes, in lower-case hex (docs/proofs.md)' }),
  });
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

/** How a read of state is to be answered. */
export function readOptions(request: Request): StateReadOptions | Problem {
  const proof = wantsProof(request);
  if (proof instanceof Problem) return proof;
  const linearizable = wantsLinearizable(request);
  if (linearizable instanceof Problem) return linearizable;
  const past = request.query.get(AT_HEIGHT);
  if (past === undefined) return oneOption({ proof, linearizable }, NAMES);
  const atHeight = integerField(past, AT_HEIGHT);
  if (atHeight instanceof Problem) return atHeight;
  return oneOption({ proof, linearizable, atHeight }, NAMES);
}

function wantsLinearizable({ query }: Request): boolean | Problem {
  const consistency = query.get(CONSISTENCY) ?? FINALIZED;
  if (consistency === FINALIZED) return false;
  if (consistency === LINEARIZABLE) return true;
  const detail = `expected ${FINALIZED}, this node's own executed state, or ${LINEARIZABLE}`;
  return refused('unsupported_consistency', detail, CONSISTENCY);
}

/** The parameters of a read of state that are the query's own. */
export function ownParameters({ query }: Request): Readonly<Record<string, string>> {
  return Object.fromEntries([...query].filter(([name]) => !STATE_OPTIONS.includes(name)));
}

/** For a read of state that has no parameters of its own. */
export function onlyReadOptions(request: Request): StateReadOptions | Problem {
  const options = readOptions(request);
  return options instanceof Problem ? options : (onlyParameters(request, STATE_OPTIONS) ?? options);
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
