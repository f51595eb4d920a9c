/**
 * grpc.health.v1.Health for the whole port, for each service that it has or had, and for itself: SERVING while the node
 * is ready, NOT_SERVING while it is not or is about to stop. Both `Check` and
 * `Watch` follow within a fraction of a second.
 */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { HealthChecks } from '../edge/health.ts';

const LOOK_EVERY_MS = 200;
const OWN = ['', 'grpc.health.v1.Health'];

export class HealthService {
  readonly #implementation = new HealthImplementation();
  #services: readonly string[] = [];
  readonly #checks: HealthChecks;
  readonly #timer: NodeJS.Timeout;
  #serving: boolean;
  #draining = false;

  constructor(checks: HealthChecks) {
    this.#checks = checks;
    this.#serving = this.#ready();
    this.#tell();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  addTo(server: Server): void {
    this.#implementation.addToServer(server);
  }

  /** `services` are what the port has from now on. */
  serve(services: readonly string[]): void {
    const gone = this.#services.filter((each) => !services.includes(each));
    this.#services = services;
    this.#tell();
    for (const service of gone) this.#implementation.setStatus(service, 'NOT_SERVING');
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
    this.#tell();
  }

  #tell(): void {
    const status = this.#serving ? 'SERVING' : 'NOT_SERVING';
    for (const service of [...OWN, ...this.#services]) {
      this.#implementation.setStatus(service, status);
    }
  }

  #ready(): boolean {
    return !this.#draining && this.#checks.ready().status === 'UP';
  }
}
