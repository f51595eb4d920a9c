/** What a service is to the server: for its methods, for health and for reflection alike. */
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

export interface Service {
  /** In full, as `althing.v1.State`. */
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}
