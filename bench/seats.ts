/** Where the nodes of a bench cluster listen: ports that are free, and stay the node's at every start. */
import type { ChildProcess } from 'node:child_process';
import { freePort } from './free-port.ts';

export interface Seat {
  readonly id: string;
  /** The same at every start, so that peers and clients find the node again. */
  readonly ports: { readonly http: number; readonly grpc: number; readonly peer: number };
  process: ChildProcess | null;
  /** Somebody ends its process. */
  ending: boolean;
  /** It had a process before. */
  isUsed: boolean;
}

const PORTS_OF_A_NODE = 3;

export async function newSeats(ids: readonly string[]): Promise<Seat[]> {
  const ports: number[] = [];
  while (ports.length < ids.length * PORTS_OF_A_NODE) ports.push(await freePort());
  return ids.map((id, at) => {
    const [http, grpc, peer] = ports.slice(at * PORTS_OF_A_NODE) as [number, number, number];
    return { id, ports: { http, grpc, peer }, process: null, ending: false, isUsed: false };
  });
}
