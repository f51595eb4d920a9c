/** The services of the port are replaced all together, or not at all. */
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import test from 'ava';
import { Calls } from '../../src/grpc/calls.ts';
import { HealthService } from '../../src/grpc/health-service.ts';
import { Services } from '../../src/grpc/services.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { loadUserModule } from '../../src/modules/user/load.ts';
import { silent, testEdge } from '../http/test-node.ts';
import { raffleText } from '../user-modules/files.ts';

/** Tells which methods it has, and refuses a service once. */
class Refusing extends Server {
  readonly paths = new Set<string>();
  refused: string | null = null;

  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation) {
    const paths = Object.values(service).map(({ path }) => path);
    const { refused } = this;
    if (refused !== null && paths.some((path) => path.startsWith(refused))) {
      this.refused = null;
      throw new Error('refused');
    }
    super.addService(service, implementation);
    for (const path of paths) this.paths.add(path);
  }

  override removeService(service: ServiceDefinition): void {
    super.removeService(service);
    for (const { path } of Object.values(service)) this.paths.delete(path);
  }
}

test('where the server refuses one, what was served is served on, up to the next upgrade', (t) => {
  const { edge } = testEdge();
  const health = new HealthService(edge.health);
  t.teardown(() => {
    health.close();
    edge.close();
  });
  const server = new Refusing();
  const services = new Services({ edge, calls: new Calls(silent), server, health });
  services.serve();
  const before = [...server.paths].toSorted();
  const raffle = loadUserModule({ file: 'raffle.ts', text: raffleText() });
  edge.catalog = new ModuleCatalog([...builtInModules, raffle]);
  // The last one that is added.
  server.refused = '/grpc.reflection.v1alpha.';
  t.throws(() => services.serve(), { message: 'refused' });
  t.deepEqual([...server.paths].toSorted(), before);

  services.serve();
  const more = [...server.paths].filter((path) => !before.includes(path));
  t.true(more.length > 0);
  t.true(more.every((path) => path.startsWith('/althing.module.raffle.v1.')));
  edge.catalog = new ModuleCatalog(builtInModules);
  services.serve();
  t.deepEqual([...server.paths].toSorted(), before);
});
