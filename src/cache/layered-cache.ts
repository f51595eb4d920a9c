/**
 * A near cache before a far one. What is asked for often is answered by the near one, also while the far
 * one is away; the far one holds more, and still holds it when the node starts again.
 */
import type { Cache, StoreFigures } from './cache.ts';

export class LayeredCache implements Cache {
  readonly #near: Cache;
  readonly #far: Cache;

  constructor(near: Cache, far: Cache) {
    this.#near = near;
    this.#far = far;
  }

  async get(name: string): Promise<Uint8Array | null> {
    const near = await this.#near.get(name);
    if (near !== null) return near;
    const far = await this.#far.get(name);
    if (far !== null) this.#near.set(name, far);
    return far;
  }

  set(name: string, value: Uint8Array): void {
    this.#near.set(name, value);
    this.#far.set(name, value);
  }

  figures(): readonly StoreFigures[] {
    return [...this.#near.figures(), ...this.#far.figures()];
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }
}
