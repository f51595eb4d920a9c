/**
 * Four (or n) real node processes with embedded PostgreSQL, in a folder of their own and on free ports:
 * what the benches measure and the process tests break.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Signer } from '../protocols/crypto.ts';
import type { Digest } from '../protocols/types.ts';
import { loadSigner } from '../src/crypto/signer.ts';
import { initCluster } from '../src/init/init.ts';
import { DATA_FOLDER_MODE } from '../src/init/layout.ts';
import { DatabaseServer } from './database-server.ts';
import { Links } from './faults/links.ts';
import { newSeats, type Seat } from './seats.ts';

const NODE_ENTRY = fileURLToPath(new URL('../src/node.js', import.meta.url));
const READY_MS = 180_000;
const STOP_MS = 60_000;
const POLL_MS = 20;

export interface ClusterOptions {
  readonly folder: string;
  readonly nodes?: number;
  readonly threads?: number | 'auto';
  readonly dev?: boolean;
  /** Files of users' modules that run from the start. */
  readonly modules?: readonly string[];
  /** More arguments for every node. */
  readonly args?: readonly string[];
  /** Arguments for Node.js itself, such as `--cpu-prof`. */
  readonly execArgv?: readonly string[];
  /** More environment for the process of a node. */
  readonly env?: (id: string) => NodeJS.ProcessEnv;
  /** The folder of a node's state, and of a database server of its own; without it all share one server. */
  readonly placeOf?: (id: string) => string;
  /** Peers reach each other through proxies, which can be disturbed (`links`). */
  readonly linked?: boolean;
  /** Told of a node that ended and that nobody ended; without it `broken` rejects. */
  readonly onEnded?: (node: number, exit: number | NodeJS.Signals | null) => void;
  /** Ends the making with its reason. */
  readonly signal?: AbortSignal;
}

export class Cluster {
  readonly folder: string;
  readonly clusterId: Digest;
  /** One for all nodes, or one for each. */
  readonly servers: readonly DatabaseServer[];
  readonly #links: Links | null;
  readonly #seats: readonly Seat[];
  readonly #options: ClusterOptions;
  /** Rejects, with the end of its log, once a node ends that nobody ended. */
  readonly broken: Promise<never>;
  #break: (error: Error) => void = () => {};
  #closed = false;

  private constructor(
    options: ClusterOptions,
    clusterId: Digest,
    servers: readonly DatabaseServer[],
    seats: readonly Seat[],
    links: Links | null,
  ) {
    this.#options = options;
    this.folder = options.folder;
    this.clusterId = clusterId;
    this.servers = servers;
    this.#seats = seats;
    this.#links = links;
    this.broken = new Promise((_, reject) => (this.#break = reject));
    // Who does not look at it ends nodes in other ways.
    this.broken.catch(() => {});
  }

  /**
   * Makes the cluster's files and its database servers; no node runs yet. Leaves nothing behind when it
   * fails.
   */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const { folder } = options;
    mkdirSync(folder, { recursive: true });
    // Who made it to be new made it for its owner alone.
    chmodSync(folder, DATA_FOLDER_MODE);
    const servers: DatabaseServer[] = [];
    try {
      return await Cluster.#create(options, servers);
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @param servers is given those that were started, also when a later step fails */
  static async #create(options: ClusterOptions, servers: DatabaseServer[]): Promise<Cluster> {
    const { folder, nodes = 4, signal, modules = [], placeOf, linked = false } = options;
    const { clusterId, nodes: made } = await initCluster({
      data: folder,
      nodes,
      nowMs: Date.now(),
      modules,
    });
    const seats = await newSeats(made.map(({ id }) => id));
    const places = placeOf === undefined ? [folder] : seats.map(({ id }) => placeOf(id));
    for (const place of places) {
      signal?.throwIfAborted();
      servers.push(await DatabaseServer.start(join(place, 'postgres'), signal));
    }
    for (const [node, { id }] of seats.entries()) {
      await (servers[node] ?? servers[0]!).createDatabase(databaseOf(id));
    }
    signal?.throwIfAborted();
    const links = linked ? await Links.open(seats.map(({ ports }) => ports.peer)) : null;
    return new Cluster(options, clusterId, servers, seats, links);
  }

  get size(): number {
    return this.#seats.length;
  }

  /** Between the nodes; only of a cluster that was made with `linked`. */
  get links(): Links {
    if (this.#links === null) throw new Error('the cluster was not made with links');
    return this.#links;
  }

  /** HTTP addresses of the nodes. */
  get urls(): string[] {
    return this.#seats.map(({ ports }) => `http://127.0.0.1:${ports.http}`);
  }

  grpcAddress(node: number): string {
    return `127.0.0.1:${this.#seat(node).ports.grpc}`;
  }

  peerAddress(node: number): string {
    return `127.0.0.1:${this.#seat(node).ports.peer}`;
  }

  id(node: number): string {
    return this.#seat(node).id;
  }

  pid(node: number): number {
    const pid = this.#seat(node).process?.pid;
    if (pid === undefined) throw new Error(`node ${node} does not run`);
    return pid;
  }

  pids(): number[] {
    return this.#seats.flatMap(({ process }) => (process?.pid === undefined ? [] : [process.pid]));
  }

  /** The key that may issue money (genesis, modules.ledger.issuers). */
  operator(): Signer {
    return loadSigner(join(this.folder, 'operator.pem'));
  }

  logFile(node: number): string {
    return join(this.folder, this.#seat(node).id, 'node.log');
  }

  serverOf(node: number): DatabaseServer {
    return this.servers[node] ?? this.servers[0]!;
  }

  databaseUrl(node: number): string {
    return this.serverOf(node).url(databaseOf(this.#seat(node).id));
  }

  /** Starts the nodes (all by default) and waits until each is ready. */
  async start(nodes: readonly number[] = this.#seats.map((_, at) => at)): Promise<void> {
    for (const node of nodes) {
      const { id, isUsed } = this.#seat(node);
      if (isUsed) await this.serverOf(node).leftBy(databaseOf(id));
      this.spawn(node);
    }
    await Promise.all(nodes.map((node) => this.ready(node)));
  }

  /** Throws once the cluster is closed: what a scenario that was cut short starts would stay behind. */
  spawn(node: number, more: readonly string[] = []): ChildProcess {
    if (this.#closed) throw new Error('the cluster is closed');
    const seat = this.#seat(node);
    rmSync(this.#readyFile(seat), { force: true });
    const out = openSync(this.logFile(node), 'a');
    const child = spawn(
      process.execPath,
      [...(this.#options.execArgv ?? []), NODE_ENTRY, ...this.#arguments(node), ...more],
      {
        stdio: ['ignore', out, out],
        env: {
          ...process.env,
          ...this.#options.env?.(seat.id),
          ALTHING_DATABASE_URL: this.databaseUrl(node),
        },
      },
    );
    closeSync(out);
    seat.process = child;
    seat.ending = false;
    seat.isUsed = true;
    child.once('exit', (code, signal) => {
      if (seat.process === child) seat.process = null;
      if (!seat.ending) this.#endedByItself(node, signal ?? code);
    });
    return child;
  }

  #endedByItself(node: number, exit: number | NodeJS.Signals | null): void {
    const { onEnded } = this.#options;
    if (onEnded === undefined) this.#break(this.#error(node, `ended by itself (${exit})`));
    else onEnded(node, exit);
  }

  #arguments(node: number): string[] {
    const seat = this.#seat(node);
    const peers = this.#seats.flatMap(({ id, ports }, peer) => {
      const port = this.#links?.portFor(node, peer) ?? ports.peer;
      return peer === node ? [] : [`${id}=127.0.0.1:${port}`];
    });
    const { http, grpc, peer } = seat.ports;
    const { dev = false, threads = 'auto', args = [], placeOf } = this.#options;
    return [
      ['--id', seat.id, '--data', this.folder, '--ready-file', this.#readyFile(seat)],
      ['--http', String(http), '--grpc', String(grpc), '--peer', String(peer)],
      ['--threads', String(threads), '--log-level', 'info'],
      placeOf === undefined ? [] : ['--state', join(placeOf(seat.id), 'state')],
      peers.length === 0 ? [] : ['--peers', peers.join(',')],
      dev ? ['--dev'] : [],
      args,
    ].flat();
  }

  /** Resolves when the node has written its ready file; rejects if it ends first. */
  async ready(node: number): Promise<void> {
    const seat = this.#seat(node);
    const deadline = performance.now() + READY_MS;
    for (;;) {
      if (existsSync(this.#readyFile(seat))) return;
      const over =
        performance.now() > deadline
          ? 'is not ready in time'
          : seat.process === null
            ? 'ended'
            : null;
      if (over !== null) throw this.#error(node, over);
      await pause(POLL_MS);
    }
  }

  #error(node: number, what: string): Error {
    const tail = readFileSync(this.logFile(node), 'utf8').split('\n').slice(-12).join('\n');
    return new Error(`${this.id(node)} ${what}; its log ends:\n${tail}`);
  }

  /** Whether it has a process. */
  runs(node: number): boolean {
    return this.#seat(node).process !== null;
  }

  /** Stands still until `resume`, or its end. */
  pause(node: number): void {
    process.kill(this.pid(node), 'SIGSTOP');
  }

  resume(node: number): void {
    process.kill(this.pid(node), 'SIGCONT');
  }

  kill(node: number, signal: NodeJS.Signals): void {
    this.#seat(node).ending = true;
    process.kill(this.pid(node), signal);
  }

  /** Sends the signal and resolves with the exit code once the process is gone. */
  async end(node: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const seat = this.#seat(node);
    const child = seat.process;
    if (child === null) return null;
    seat.ending = true;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    // One that stands still is to hear it.
    child.kill('SIGCONT');
    const cut = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await ended;
    clearTimeout(cut);
    return code;
  }

  /** Resolves with the exit code of a node that ends by itself, as it should. */
  async ended(node: number): Promise<number | null> {
    const seat = this.#seat(node);
    const { process: child } = seat;
    if (child === null) throw new Error(`${seat.id} does not run`);
    seat.ending = true;
    return new Promise((settle) => child.once('exit', settle));
  }

  /** Stops every node, then the databases, and removes the folder unless it is to be kept. */
  async close(keep = false): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#seats.map((_, at) => this.end(at)));
    await Promise.all(this.servers.map((server) => server.stop(STOP_MS)));
    await this.#links?.close();
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  #seat(node: number): Seat {
    const seat = this.#seats[node];
    if (seat === undefined) throw new RangeError(`there is no node ${node}`);
    return seat;
  }

  #readyFile({ id }: Seat): string {
    return join(this.folder, id, 'ready.json');
  }
}

function databaseOf(id: string): string {
  return `bench_${id.replaceAll('-', '_')}`;
}

/** Of a node that stands still, as it may on a busy machine; one that is gone refuses at once. */
const ANSWER_MS = 30_000;

/** `GET` of a JSON document from a node; throws with status and body when it is not a 200. */
export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`GET ${url}: ${answer.status} ${body}`);
  return JSON.parse(body) as T;
}
