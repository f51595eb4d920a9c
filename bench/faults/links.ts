/** The links between the nodes of a cluster, each way on its own: what a partition is made of. */
import { FAIR, LinkProxy, type Weather } from './link-proxy.ts';

export const HOLE: Weather = { ...FAIR, passage: 'hole' };
export const CUT: Weather = { ...FAIR, passage: 'cut' };

export class Links {
  /** By dialling node, then by the node that it dials; none to itself. */
  readonly #proxies: readonly (readonly (LinkProxy | null)[])[];

  private constructor(proxies: readonly (readonly (LinkProxy | null)[])[]) {
    this.#proxies = proxies;
  }

  /** @param ports peer ports of the nodes */
  static async open(ports: readonly number[]): Promise<Links> {
    const from = (dialer: number) =>
      Promise.all(ports.map(async (port, peer) => (peer === dialer ? null : LinkProxy.open(port))));
    return new Links(await Promise.all(ports.map((_, dialer) => from(dialer))));
  }

  /** Where a node reaches a peer; undefined for itself. */
  portFor(node: number, peer: number): number | undefined {
    return this.#proxies[node]?.[peer]?.port;
  }

  /** Of all that `from` says to `to`, on whichever connection. */
  set(from: number, to: number, weather: Weather): void {
    this.#proxies[from]?.[to]?.set('towards', weather);
    this.#proxies[to]?.[from]?.set('back', weather);
  }

  /** Between the nodes and all others; between all of them, if they are all. Both ways, or one. */
  isolate(
    nodes: readonly number[],
    weather: Weather,
    ways: 'both' | 'said' | 'heard' = 'both',
  ): void {
    const all = [...this.#proxies.keys()];
    const others = all.filter((node) => !nodes.includes(node));
    for (const node of nodes) {
      for (const other of others.length === 0 ? all : others) {
        if (node === other) continue;
        if (ways !== 'heard') this.set(node, other, weather);
        if (ways !== 'said') this.set(other, node, weather);
      }
    }
  }

  heal(): void {
    this.isolate([...this.#proxies.keys()], FAIR);
  }

  async close(): Promise<void> {
    const proxies = this.#proxies.flat().filter((proxy) => proxy !== null);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}
