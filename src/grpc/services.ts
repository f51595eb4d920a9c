/**
 * The services of the port: ours, and those of the modules in force, which an upgrade replaces. Who
 * asks by reflection learns of the same.
 */
import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
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

type Served = Pick<Service, 'definition' | 'implementation'>;

export class Services {
  readonly #options: ServicesOptions;
  /** No others than these, and those of health, are on the server. */
  #served: readonly Served[] = [];

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /**
   * Those of the modules in force now take the place of those served before; calls under way go on.
   * Some tenths of a second, for files are parsed: once at start, and with each upgrade. Where it throws,
   * those served before are served on.
   */
  serve(): void {
    const { edge, calls, health } = this.#options;
    const protos = loadProtos(edge.catalog.modules);
    const services = servicesOf(edge, calls, protos);
    const ours = services.map(({ definition, implementation }) => ({
      definition: markingUndecodable(definition),
      implementation,
    }));
    const next = [...ours, ...reflectionOf(protos)];
    const before = this.#served;
    try {
      this.#replaceBy(next);
    } catch (error) {
      this.#replaceBy(before);
      throw error;
    }
    health.serve(services.map(({ name }) => name));
  }

  #replaceBy(services: readonly Served[]): void {
    const { server } = this.#options;
    for (const { definition } of this.#served) server.removeService(definition);
    // Before they are added: of what was added in part all is removed.
    this.#served = services;
    for (const { definition, implementation } of services) {
      server.addService(definition, implementation);
    }
  }
}

/** In each of its versions. Each definition brings all files of its package: once is enough to read them. */
function reflectionOf({ all }: Protos): readonly Served[] {
  const served: Served[] = [];
  const files = Object.values(all).flatMap((each) =>
    'format' in each ? (each.fileDescriptorProtos as Buffer[]) : [],
  );
  const once = { files: { fileDescriptorProtos: [...new Set(files)] } };
  new ReflectionService(once as unknown as PackageDefinition).addToServer({
    addService: (definition, implementation) => {
      served.push({ definition, implementation });
    },
  });
  return served;
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
