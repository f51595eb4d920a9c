/**
 * The services of the port: ours, and those of the modules in force, which an upgrade replaces. Who
 * asks by reflection learns of the same.
 */
import type { Server, ServiceDefinition } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Edge } from '../edge/edge.ts';
import type { Calls } from './calls.ts';
import { consensusService } from './consensus-service.ts';
import type { HealthService } from './health-service.ts';
import { moduleServices } from './modules/services.ts';
import { loadProtos, type Protos } from './protos.ts';
import type { Service } from './service.ts';
import { stateService } from './state-service.ts';
import { streamService } from './stream-service.ts';
import { transactionsService } from './transactions-service.ts';
import { markingUndecodable } from './undecodable.ts';
import { votingService } from './voting-service.ts';

export interface ServicesOptions {
  readonly edge: Edge;
  readonly calls: Calls;
  readonly server: Server;
  readonly health: HealthService;
}

const REFLECTION = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

export class Services {
  readonly #options: ServicesOptions;
  #served: readonly ServiceDefinition[] = [];

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /**
   * Those of the modules in force now take the place of those served before; calls under way go on.
   * Some tenths of a second, for files are parsed: once at start, and with each upgrade.
   */
  serve(): void {
    const { edge, calls, server, health } = this.#options;
    const protos = loadProtos(edge.catalog.modules);
    const services = servicesOf(edge, calls, protos);
    for (const definition of this.#served) server.removeService(definition);
    for (const { definition, implementation } of services) {
      server.addService(markingUndecodable(definition), implementation);
    }
    new ReflectionService(protos.all).addToServer(server);
    health.serve(services.map(({ name }) => name));
    this.#served = [...services.map(({ definition }) => definition), ...reflectionIn(protos)];
  }
}

function reflectionIn({ all }: Protos): readonly ServiceDefinition[] {
  return REFLECTION.map((name) => all[name] as ServiceDefinition);
}

function servicesOf(edge: Edge, calls: Calls, protos: Protos): readonly Service[] {
  return [
    {
      name: 'althing.v1.Transactions',
      definition: protos.transactions,
      implementation: transactionsService(edge, calls),
    },
    {
      name: 'althing.v1.Consensus',
      definition: protos.consensus,
      implementation: consensusService(edge, calls),
    },
    {
      name: 'althing.v1.State',
      definition: protos.state,
      implementation: stateService(edge, calls),
    },
    streamService(edge, calls, protos.stream),
    ...(protos.voting === null ? [] : [votingService(edge, calls, protos.voting)]),
    ...edge.catalog.modules.flatMap((each) => moduleServices(edge, calls, each, protos.modules)),
  ];
}
