/**
 * Answers that come with a proof (docs/proofs.md), and the row of any table with one: what all other
 * proofs of state are made of.
 */
import type { Edge } from '../../edge/edge.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import type { ProofWanted } from '../../../protocols/proofs/request.ts';
import { answer } from '../negotiation.ts';
import { onlyFinalized, PROOF, wantsProof } from '../reads.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';

export function proofRoutes(edge: Edge): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v11/state/:module/:table/:key',
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
): Promise<Reply | Problem> {
  const proved = await edge.prove(wanted);
  if (proved instanceof Problem) return proved;
  const { height, value, proof } = proved;
  return answer(request, { height, result: show(value), proof }, 200, { height });
}

/** The result is the row, or null where there is none: a null that is stored shows as one, too. */
async function row(edge: Edge, request: Request): Promise<Reply | Problem> {
  const refused = onlyFinalized(request, 'provable');
  if (refused !== null) return refused;
  const proof = wantsProof(request);
  if (proof instanceof Problem) return proof;
  if (!proof) return malformed('rows are read here with a proof only: add proof=1', PROOF);
  const [module = '', table = '', key = ''] = request.params;
  return answerProved(edge, request, { kind: 'row', module, table, key });
}
