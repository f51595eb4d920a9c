/**
 * grpc.health.v1.Health for the whole port, for each service, and for itself: SERVING while the node
 * is ready, NOT_SERVING while it is not or is about to stop. Both `Check` and
 * `Watch` follow within a fraction of a second.
 */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';
import type { HealthChecks } from '../edge/health.ts';

const LOOK_EVERY_MS = 200;

export class HealthService {
  readonly #implementation: HealthImplementation;
  readonly #services: readonly string[];
  readonly #checks: HealthChecks;
  readonly #timer: NodeJS.Timeout;
  #serving: boolean;
  #draining = false;

  constructor(checks: HealthChecks, services: readonly string[]) {
    this.#checks = checks;
    this.#services = ['', 'grpc.health.v1.Health', ...services];
    this.#serving = this.#ready();
    const status = this.#serving ? 'SERVING' : 'NOT_SERVING';
    const statuses = this.#services.map((service) => [service, status] as const);
    this.#implementation = new HealthImplementation(
      Object.fromEntries(statuses) as ServingStatusMap,
    );
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  addTo(server: Server): void {
    this.#implementation.addToServer(server);
  }

  /** From now on NOT_SERVING, whatever the checks say. */
  drain(): void {
    this.#draining = true;
    this.look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const serving = this.#ready();
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const service of this.#services) {
      this.#implementation.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
    }
  }

  #ready(): boolean {
    return !this.#draining && this.#checks.ready().status === 'UP';
  }
}
