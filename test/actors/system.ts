/** An ActorSystem with real threads and scripted machines (worker.ts), as the node's edge sees it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Item } from '../../actors/traffic.ts';
import type { ProtocolActor } from '../../protocols/messages.ts';
import type { Submitted } from '../../src/edge/port.ts';
import { ActorSystem } from '../../src/supervisor/actor-system.ts';
import { PeerBridge } from '../../src/supervisor/peer-bridge.ts';
import { Requests } from '../../src/supervisor/requests.ts';
import { createLogger } from '../../src/logger.ts';
import type { TestInput } from './orders.ts';

const logger = createLogger({ level: 'silent', nodeId: 'test' });

export class TestSystem {
  readonly system: ActorSystem;
  readonly requests: Requests;
  readonly bridge: PeerBridge;
  readonly items: Item[] = [];
  readonly fatal: Promise<{ readonly exitCode: number; readonly reason: string }>;
  readonly #held = new Map<string, boolean>();
  restarts = 0;
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));
  readonly #folder = mkdtempSync(join(tmpdir(), 'althing-actors-'));
  #running = 0;
  #wake: (() => void)[] = [];

  constructor(t: ExecutionContext, threads: number) {
    let fatal: (end: { exitCode: number; reason: string }) => void;
    this.fatal = new Promise((resolve) => (fatal = resolve));
    const input = { gate: this.#gate, folder: this.#folder } as unknown as TestInput;
    this.system = new ActorSystem({
      threads,
      input,
      logger,
      entry: new URL('./worker.js', import.meta.url),
      onItem: (item) => this.#take(item),
      onRestart: () => {
        this.restarts++;
        this.requests.giveUp();
      },
      onRunning: () => {
        this.#running++;
        this.#changed();
      },
      onRoom: () => {
        this.bridge.resume();
        this.#changed();
      },
      onFatal: (exitCode, reason) => fatal({ exitCode, reason }),
    });
    this.requests = new Requests(this.system, () => {});
    this.bridge = new PeerBridge(this.system);
    t.teardown(async () => {
      this.openGate();
      await this.system.stop(100);
      rmSync(this.#folder, { recursive: true });
    });
  }

  /** Starts the threads; resolves when all actors have recovered. */
  async start(): Promise<this> {
    this.system.start();
    await this.until(() => this.#running === 1);
    return this;
  }

  /** Resolves once it is so; asked again whenever something arrives from the actors. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Whether some thread last said that it takes nothing from peers and clients. */
  get outsideHeld(): boolean {
    return [...this.#held.values()].includes(true);
  }

  /** How often all actors have recovered. */
  get runs(): number {
    return this.#running;
  }

  submit(order: number, bytes = 16, at = 0): Promise<Submitted> {
    const submission = new Uint8Array(bytes);
    submission[0] = order;
    new DataView(submission.buffer).setUint32(4, at);
    return this.requests.submit(submission);
  }

  openGate(): void {
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
  }

  /** Positions that the actor has made durable. */
  logged(actor: ProtocolActor): number[] {
    const text = readFileSync(join(this.#folder, actor), 'utf8').trimEnd();
    return text.split('\n').map((line) => (JSON.parse(line) as { seq: number }).seq);
  }

  #take(item: Item): void {
    if (item.kind === 'local' && item.to === 'edge') {
      this.requests.answered(item.message as Parameters<Requests['answered']>[0]);
    } else if (item.kind !== 'report') this.items.push(item);
    else if (item.report.kind === 'load') {
      this.#held.set(item.report.load.thread, item.report.load.outsideHeld);
    }
    this.#changed();
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

/** The number that `submit` wrote into a submission, from its echo. */
export function numberOf(echo: Uint8Array): number {
  return new DataView(echo.buffer, echo.byteOffset, echo.byteLength).getUint32(4);
}
