/** The services of a module: `althing.module.<name>.v1.Commands` and `.Queries`. */
import type {
  sendUnaryData,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import type { Edge } from '../../edge/edge.ts';
import type { DefinedModule } from '../../modules/define.ts';
import type { Calls } from '../calls.ts';
import type { Service } from '../service.ts';
import { answerUnary } from '../unary.ts';
import { packageOf, pascal } from './module-proto.ts';
import { typedCommand, typedQuery, type TypedQuery } from './typed.ts';

/** Those that have a method. */
export function moduleServices(
  edge: Edge,
  calls: Calls,
  module: DefinedModule,
  definitions: Readonly<Record<string, ServiceDefinition>>,
): readonly Service[] {
  const method =
    (answer: TypedQuery): UntypedHandleCall =>
    (call: ServerUnaryCall<unknown, object>, done: sendUnaryData<object>) =>
      answerUnary(edge, call, done, calls, () => answer(call.request, call.metadata));
  const commands = Object.keys(module.commandDefinitions).map(
    (name) => [pascal(name), method(typedCommand(edge, module, name).vouched)] as const,
  );
  const queries = Object.keys(module.queryDefinitions).map(
    (name) => [pascal(name), method(typedQuery(edge, module, name))] as const,
  );
  const all = [
    ['Commands', commands],
    ['Queries', queries],
  ] as const;
  return all
    .filter(([, methods]) => methods.length > 0)
    .map(([section, methods]) => {
      const name = `${packageOf(module.name)}.${section}`;
      return { name, definition: definitions[name]!, implementation: Object.fromEntries(methods) };
    });
}
