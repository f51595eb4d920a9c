/** What nodes said in vain, for who has to find out why: each of them, for one alone seldom tells it. */
import type { AlthingError } from './errors.ts';
import type { Nodes } from './nodes.ts';

export class Said {
  readonly #nodes: Nodes;
  readonly #by = new Map<number, AlthingError>();
  /** What was said last. */
  last: AlthingError | null = null;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  add(node: number, error: AlthingError): void {
    this.#by.set(node, error);
    this.last = error;
  }

  /** `http://127.0.0.1:9003: no_quorum: …; http://127.0.0.1:9005: silent` */
  get text(): string {
    const each = this.#nodes.urls.map((url, node) => {
      const error = this.#by.get(node);
      return error === undefined ? `${url}: silent` : `${url}: ${error.code}: ${error.message}`;
    });
    return each.join('; ');
  }
}
