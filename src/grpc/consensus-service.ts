/** althing.v1.Consensus. */
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { fromHex } from '../../protocols/bytes.ts';
import type { EvidenceDocument } from '../../protocols/voting/evidence-document.ts';
import type { ConsensusView } from '../edge/consensus-status.ts';
import type { Edge } from '../edge/edge.ts';
import { evidencePage, type EvidenceWanted } from '../edge/evidence.ts';
import { Problem } from '../edge/problem.ts';
import type { Calls } from './calls.ts';
import { answerUnary } from './unary.ts';

export function consensusService(edge: Edge, calls: Calls): UntypedServiceImplementation {
  return {
    Status: (call: ServerUnaryCall<object, ConsensusView>, done: sendUnaryData<ConsensusView>) =>
      answerUnary(edge, call, done, calls, () => Promise.resolve(edge.status())),
    Evidence: (call: ServerUnaryCall<EvidenceWanted, object>, done: sendUnaryData<object>) =>
      answerUnary(edge, call, done, calls, () => evidence(edge, call.request)),
  };
}

async function evidence(edge: Edge, wanted: EvidenceWanted): Promise<object | Problem> {
  const page = await evidencePage(edge, wanted);
  return page instanceof Problem ? page : { ...page, evidence: page.evidence.map(message) };
}

function message(document: EvidenceDocument): object {
  const statements = document.statements.map(({ statement, signed, signature }) => ({
    statement,
    signed: fromHex(signed as string),
    signature: fromHex(signature as string),
  }));
  return { ...document, statements, document: JSON.stringify(document) };
}
