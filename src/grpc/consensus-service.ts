/** althing.v1.Consensus. */
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ConsensusView } from '../edge/consensus-status.ts';
import type { Edge } from '../edge/edge.ts';
import type { Calls } from './calls.ts';
import { answerUnary } from './unary.ts';

export function consensusService(edge: Edge, calls: Calls): UntypedServiceImplementation {
  return {
    Status: (call: ServerUnaryCall<object, ConsensusView>, done: sendUnaryData<ConsensusView>) =>
      answerUnary(edge, call, done, calls, () => Promise.resolve(edge.status())),
  };
}
