/**
 * The options that every read of final state takes, beside the parameters of its own. Those that this
 * version lacks are refused by name, so that nobody takes a plain answer for a proved or a past one.
 */
import { Type, type TSchema } from '@sinclair/typebox';
import { Problem } from '../edge/problem.ts';
import { PROBLEMS, type Parameter, type Problems } from './operation.ts';
import { onlyParameters, type Request } from './request.ts';

export const CONSISTENCY = 'consistency';
const FINALIZED = 'finalized';

export const PROOF = 'proof';

export const READ_PARAMETERS: readonly Parameter[] = [
  {
    name: CONSISTENCY,
    in: 'query',
    description: 'what the answer reflects: `finalized` is this node’s own executed state',
    schema: Type.Literal(FINALIZED),
  },
];

/** Of a read whose answer may come with a proof. */
export const PROVABLE_PARAMETERS: readonly Parameter[] = [
  ...READ_PARAMETERS,
  {
    name: PROOF,
    in: 'query',
    description: '`1`: with a proof of it, as of the newest certified height that has it',
    schema: Type.Literal('1'),
  },
];

export const READ_PROBLEMS: readonly Problems[] = [
  PROBLEMS.parameters,
  PROBLEMS.negotiated,
  PROBLEMS.read,
];

/** The answer, or with `proof=1` the answer within its proof. */
export function provable(schema: TSchema): TSchema {
  return Type.Union([schema, proved(schema)]);
}

export function proved(schema: TSchema): TSchema {
  return Type.Object({
    height: Type.Integer({ minimum: 0, description: 'the certified height' }),
    result: schema,
    proof: Type.String({ description: 'canonical bytes, in lower-case hex (docs/proofs.md)' }),
  });
}

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
