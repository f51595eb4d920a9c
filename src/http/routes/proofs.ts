/**
 * Answers that come with a proof (docs/proofs.md), and the row of any table with one: what all other
 * proofs of state are made of.
 */
import { Type } from '@sinclair/typebox';
import type { Edge } from '../../edge/edge.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import { answerProblem } from '../../edge/refusal-problems.ts';
import { toHex } from '../../../protocols/bytes.ts';
import type { ProofWanted } from '../../../protocols/proofs/request.ts';
import { answer, eitherFormat } from '../negotiation.ts';
import { PROBLEMS, type Operation, type Parameter } from '../operation.ts';
import {
  onlyFinalized,
  PROOF,
  PROVABLE_PARAMETERS,
  proved,
  READ_PROBLEMS,
  wantsProof,
} from '../reads.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';

const inPath = (name: string): Parameter => ({
  name,
  in: 'path',
  description: `the ${name}`,
  schema: Type.String({ minLength: 1 }),
});

/** Says in the answer of which row it is: so that who checks it later knows that its result is that row. */
const NAMED = {
  table: Type.String({ description: 'of which the row is: `module/table`' }),
  key: Type.String(),
};

const ROW: Operation = {
  id: 'getRow',
  tag: 'state',
  summary: 'The row of a table, or null, with a proof of it.',
  parameters: [
    ...['module', 'table', 'key'].map(inPath),
    ...PROVABLE_PARAMETERS.map((each) => ({ ...each, required: each.name === PROOF })),
  ],
  answers: {
    200: { description: 'the row', content: eitherFormat(proved(Type.Unsafe({}), NAMED)) },
  },
  problems: [...READ_PROBLEMS, PROBLEMS.state, PROBLEMS.proof],
};

export function proofRoutes(edge: Edge): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v11/state/:module/:table/:key',
      operation: ROW,
      handle: (request) => row(edge, request),
    },
  ];
}

/** `{height, result, proof}`: as of which certified height, what the proof is of, and the proof. */
export async function answerProved(
  edge: Edge,
  request: Request,
  wanted: ProofWanted,
  show: (value: unknown) => unknown = (value) => value,
  named: object = {},
): Promise<Reply | Problem> {
  const proved = await edge.prove(wanted);
  if (proved instanceof Problem) return proved;
  const { height, result, proof } = proved;
  return result.ok
    ? answer(request, { height, ...named, result: show(result.value), proof }, 200, { height })
    : answerProblem(result, { extras: { height, proof: toHex(proof) } });
}

/** The result is the row, or null where there is none: a null that is stored shows as one, too. */
async function row(edge: Edge, request: Request): Promise<Reply | Problem> {
  const refused = onlyFinalized(request, 'provable');
  if (refused !== null) return refused;
  const proof = wantsProof(request);
  if (proof instanceof Problem) return proof;
  if (!proof) return malformed('rows are read here with a proof only: add proof=1', PROOF);
  const [module = '', table = '', key = ''] = request.params;
  const wanted = { kind: 'row', module, table, key } as const;
  return answerProved(edge, request, wanted, (value) => value, {
    table: `${module}/${table}`,
    key,
  });
}
