/**
 * The processes of the cluster, and the order in which they start and stop: PostgreSQL first and
 * last. Whatever the moment at which it is told to stop, nothing of it stays behind.
 */
import { abortable } from '../abortable.ts';
import { Database } from './database.ts';
import { nodeCommand } from './node-command.ts';
import { NodeProcess, type NodeView } from './node-process.ts';
import type { ClusterPlan } from './plan.ts';
import { RunningRecord } from './running-record.ts';

/** From the wish to stop until the last process is gone: 15 s are promised. */
const STOP_MS = 14_000;
/** Of it, time for the nodes to drain before they are ended; PostgreSQL has what is left. */
const DRAIN_MS = 8_000;

export class ClusterProcesses {
  readonly #plan: ClusterPlan;
  readonly #say: (message: string) => void;
  readonly #record: RunningRecord;
  readonly #database: Database;
  #nodes: readonly NodeProcess[] = [];
  readonly #endNow = (): void => {
    this.kill();
    this.#database.abandon();
  };

  constructor(plan: ClusterPlan, say: (message: string) => void) {
    this.#plan = plan;
    this.#say = say;
    this.#record = new RunningRecord(plan.dataDir, plan.nodes);
    this.#database = new Database(plan, say);
  }

  views(): readonly NodeView[] {
    return this.#nodes.map(({ view }) => view);
  }

  /** Takes the data for this launcher; clears away what a killed one left. Throws LaunchFailure. */
  async claim(): Promise<void> {
    const ended = await this.#record.take();
    if (ended > 0) this.#say(`ended ${ended} nodes that an earlier launcher left behind`);
    // Also an error that nobody caught must not leave processes behind.
    process.once('exit', this.#endNow);
  }

  /** Rejects with the signal's reason once that is aborted. */
  startDatabase(signal: AbortSignal): Promise<void> {
    return this.#database.start(signal);
  }

  /**
   * Starts all nodes and resolves when every one is ready. Rejects with the signal's reason once that is
   * aborted: the nodes then run until `stop`.
   */
  async startNodes(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#nodes = this.#plan.nodes.map(
      (node) => new NodeProcess(nodeCommand(this.#plan, node), (view) => this.#changed(view)),
    );
    for (const node of this.#nodes) node.start();
    await abortable(Promise.all(this.#nodes.map((node) => node.whenReady())), signal);
  }

  /**
   * Drains the nodes, ends those that do not, and then stops PostgreSQL. Comes after the start has
   * ended, however that ended.
   */
  async stop(): Promise<void> {
    const began = this.#nodes.length > 0;
    if (began) {
      this.#say(
        'draining the nodes, then stopping PostgreSQL (Ctrl-C again ends the nodes at once)',
      );
    }
    const deadline = performance.now() + STOP_MS;
    let drained = true;
    const cut = setTimeout(() => {
      drained = false;
      this.kill();
    }, DRAIN_MS);
    await Promise.all(this.#nodes.map((node) => node.stop()));
    clearTimeout(cut);
    await this.#database.stop(deadline - performance.now());
    this.#record.remove();
    process.off('exit', this.#endNow);
    if (began)
      this.#say(drained ? 'stopped' : 'stopped; nodes that did not drain in time were ended');
  }

  /** Ends all nodes at once. `stop` then resolves as soon as PostgreSQL has stopped. */
  kill(): void {
    for (const node of this.#nodes) node.kill();
  }

  #changed({ id, phase, lastEnd, restarts }: NodeView): void {
    this.#record.write(this.views().flatMap(({ pid }) => pid ?? []));
    if (phase === 'waiting') this.#say(`${id} ${lastEnd}; it is started again`);
    if (phase === 'ready' && restarts > 0) this.#say(`${id} is ready again`);
    if (phase === 'stopped' && lastEnd !== '' && !lastEnd.endsWith('code 0')) {
      this.#say(`${id} ${lastEnd}`);
    }
  }
}
