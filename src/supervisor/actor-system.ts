/**
 * The worker threads of a node, seen from the main thread: it starts them, links them with each other
 * and with the edge, and starts them anew when an actor fails (supervision.ts).
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { crossingPort } from '../../actors/crossing-port.ts';
import { unpackItems, type CrossingFrame } from '../../actors/frame.ts';
import { Link } from '../../actors/link.ts';
import { placementOf } from '../../actors/placement.ts';
import type { Item, ItemClass, ThreadReport } from '../../actors/traffic.ts';
import type { ProtocolActor } from '../../protocols/messages.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import type { Logger } from '../logger.ts';
import { ACTOR_HEAP } from './heap.ts';
import { Supervision } from './supervision.ts';
import type { WorkerInput } from './worker-data.ts';

export interface ActorSystemOptions {
  readonly threads: number;
  readonly input: Omit<WorkerInput, 'thread' | 'actors' | 'ports'>;
  readonly logger: Logger;
  /** Part of the room for peers that one peer may fill (actors/link.ts). Default: all of it. */
  readonly peerShare?: number;
  /** What a thread runs; default: worker.js beside this file. */
  readonly entry?: URL;
  /** Everything that the actors send to the edge, reports included. */
  readonly onItem: (item: Item) => void;
  /** The actors start again from the log: what they were asked is lost. */
  readonly onRestart: () => void;
  /** All actors have recovered (again) and run. */
  readonly onRunning: () => void;
  /** A thread takes items again after its link was full. */
  readonly onRoom: () => void;
  /** The node cannot go on. */
  readonly onFatal: (exitCode: number, reason: string) => void;
}

interface Thread {
  readonly name: string;
  readonly actors: readonly ProtocolActor[];
  readonly worker: Worker;
  readonly link: Link;
}

const THREAD_ENTRY = new URL('./worker.js', import.meta.url);

export class ActorSystem {
  readonly #options: ActorSystemOptions;
  readonly #supervision = new Supervision();
  #threads: readonly Thread[] = [];
  #recovered = 0;
  #stopping: { remaining: number; readonly done: (how: 'clean' | 'cut') => void } | null = null;
  #isOver = false;

  constructor(options: ActorSystemOptions) {
    this.#options = options;
  }

  start(): void {
    this.#recovered = 0;
    this.#threads = this.#spawn();
    for (const { link } of this.#threads) link.send({ kind: 'command', command: 'start' });
  }

  /** False before the start, and while all threads are down after a failure. */
  get isRunning(): boolean {
    return this.#threads.length > 0;
  }

  /** Whether the actor's thread is too far behind to take more of this class. */
  isFull(actor: ProtocolActor, itemClass: ItemClass): boolean {
    return this.#threadOf(actor)?.link.isFull(itemClass) ?? true;
  }

  /** Whether it is, or this peer alone has given it more than its share. */
  isFullFor(peer: ValidatorIndex, actor: ProtocolActor, itemClass: ItemClass): boolean {
    return this.#threadOf(actor)?.link.isFullFor(peer, itemClass) ?? true;
  }

  send(to: ProtocolActor, item: Item): void {
    this.#threadOf(to)?.link.send(item);
  }

  sendToAll(item: Item): void {
    for (const { link } of this.#threads) link.send(item);
  }

  /** What waits and is under way to the threads, for metrics. */
  links(): {
    readonly thread: string;
    readonly waiting: number;
    readonly outstanding: number;
    readonly resendLater: number;
  }[] {
    return this.#threads.map(({ name, link }) => {
      const { waiting, outstanding, resendLater } = link;
      return { thread: name, waiting, outstanding, resendLater };
    });
  }

  /** Resolves once every actor has written all it said, or after `boundMs`; then ends the threads. */
  async stop(boundMs: number): Promise<'clean' | 'cut'> {
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<'clean' | 'cut'>((resolve) => {
      this.#stopping = { remaining: this.#threads.length, done: resolve };
      if (this.#threads.length === 0) resolve('clean');
      timer = setTimeout(() => resolve('cut'), boundMs);
    });
    this.sendToAll({ kind: 'command', command: 'stop' });
    const how = await ended;
    clearTimeout(timer);
    await this.#terminate();
    return how;
  }

  #threadOf(actor: ProtocolActor): Thread | undefined {
    return this.#threads.find(({ actors }) => actors.includes(actor));
  }

  #spawn(): Thread[] {
    const placement = placementOf(this.#options.threads);
    const ports = placement.map((): WorkerInput['ports'][number][] => []);
    placement.forEach((actors, a) => {
      placement.slice(a + 1).forEach((others, step) => {
        const { port1, port2 } = new MessageChannel();
        ports[a]?.push({ actors: others, port: port1 });
        ports[a + 1 + step]?.push({ actors, port: port2 });
      });
    });
    return placement.map((actors, at) =>
      this.#spawnOne(`actors-${at + 1}`, actors, ports[at] ?? []),
    );
  }

  #spawnOne(name: string, actors: readonly ProtocolActor[], ports: WorkerInput['ports']): Thread {
    const workerData: WorkerInput = { ...this.#options.input, thread: name, actors, ports };
    const worker = new Worker(this.#options.entry ?? THREAD_ENTRY, {
      workerData,
      transferList: ports.map(({ port }) => port),
      name,
      resourceLimits: ACTOR_HEAP,
    });
    const port = crossingPort(worker);
    const link = new Link(port, {
      later: (flush) => setImmediate(flush),
      onRoom: this.#options.onRoom,
      peerShare: this.#options.peerShare ?? 1,
    });
    port.onAcknowledged((frames) => link.acknowledged(frames));
    port.onFrame((frame) => {
      if (this.#isCurrent(worker)) this.#take(frame);
      port.acknowledge();
    });
    worker.on('error', (error: Error & { code?: string }) => {
      if (this.#isCurrent(worker))
        this.#failed(name, error.code ?? 'thread_failed', error.message, error.stack ?? '');
    });
    worker.on('exit', (exitCode) => {
      if (!this.#isCurrent(worker) || this.#stopping !== null) return;
      this.#failed(name, 'thread_ended', `the thread ended by itself with code ${exitCode}`, '');
    });
    return { name, actors, worker, link };
  }

  #isCurrent(worker: Worker): boolean {
    return this.#threads.some((thread) => thread.worker === worker);
  }

  #take(frame: CrossingFrame): void {
    for (const item of unpackItems(frame)) {
      if (item.kind === 'report') this.#report(item.report);
      this.#options.onItem(item);
    }
  }

  #report(report: ThreadReport): void {
    switch (report.kind) {
      case 'recovered':
        this.#recovered++;
        if (this.#recovered === this.#threads.length) this.#options.onRunning();
        return;
      case 'stopped':
        if (this.#stopping === null) return;
        this.#stopping.remaining--;
        if (this.#stopping.remaining === 0) this.#stopping.done('clean');
        return;
      case 'failed':
        return this.#failed(report.actor, report.code, report.message, report.stack);
      default:
        return;
    }
  }

  #failed(who: string, code: string, message: string, stack: string): void {
    if (this.#isOver) return;
    const { logger, onFatal, onRestart } = this.#options;
    const verdict = this.#supervision.failed(code, performance.now());
    logger.error({ actor: who, code, stack, verdict }, `${who} failed: ${message}`);
    const terminated = this.#terminate();
    onRestart();
    if (verdict.kind === 'stop') {
      this.#isOver = true;
      onFatal(verdict.exitCode, `${who}: ${message}`);
      return;
    }
    // Nothing is started for a node that goes: what was written is written.
    if (this.#stopping !== null) return this.#stopping.done('cut');
    const restart = (): void => {
      if (!this.#isOver && this.#stopping === null) this.start();
    };
    terminated.then(
      () => setTimeout(restart, verdict.afterMs),
      (error: Error) => onFatal(1, `the threads could not be ended: ${error.message}`),
    );
  }

  async #terminate(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}
