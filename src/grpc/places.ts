/**
 * Places of which there are so many for all callers: slots to read a request in, streams, connections.
 *
 * G5. One connection has at most a quarter of the places, and one address three quarters: no client
 *     shuts out the others. The share of an address is as large as that because behind a proxy, which
 *     pools few connections, all clients have one. Who calls from many addresses is for the network
 *     before the node to hold back.
 */
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

const CONNECTION_SHARE = 1 / 4;
const ADDRESS_SHARE = 3 / 4;

export interface Origin {
  readonly address: string;
  /** `address:port` */
  readonly connection: string;
}

export function originOf(call: ServerInterceptingCallInterface): Origin {
  return {
    address: call.getConnectionInfo().remoteAddress ?? 'unknown',
    connection: call.getPeer(),
  };
}

export class Places {
  readonly #max: number;
  #taken = 0;
  /** By address and by connection. */
  readonly #takenBy = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** False when there is none for this origin now. */
  take({ address, connection }: Origin): boolean {
    const isFree =
      this.#taken < this.#max &&
      this.#of(address) < Math.ceil(this.#max * ADDRESS_SHARE) &&
      this.#of(connection) < Math.ceil(this.#max * CONNECTION_SHARE);
    if (isFree) this.#add({ address, connection }, 1);
    return isFree;
  }

  /** Gives back what was taken. */
  give(origin: Origin): void {
    this.#add(origin, -1);
  }

  #add({ address, connection }: Origin, change: number): void {
    this.#taken += change;
    for (const holder of [address, connection]) {
      const taken = this.#of(holder) + change;
      if (taken === 0) this.#takenBy.delete(holder);
      else this.#takenBy.set(holder, taken);
    }
  }

  #of(holder: string): number {
    return this.#takenBy.get(holder) ?? 0;
  }
}
