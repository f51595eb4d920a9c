/**
 * `npm start`: from nothing to a running cluster and back to nothing. This file is the order of the
 * steps; each step is a file of its own.
 */
import { existsSync } from 'node:fs';
import type { Digest } from '../../protocols/types.ts';
import { abortable, aborted } from '../abortable.ts';
import { InitError, initCluster, makeDataFolder, type InitResult } from '../init/init.ts';
import { clusterFiles } from '../init/layout.ts';
import { addModules, notInGenesis, readModule } from '../init/modules.ts';
import { Interruption } from '../interruption.ts';
import { ModuleFileError } from '../modules/user/load.ts';
import { ClusterProcesses } from './cluster.ts';
import { demonstrate } from './demonstration.ts';
import { LaunchFailure, messageOf } from './failure.ts';
import { parseOptions, USAGE, type LaunchOptions } from './options.ts';
import { planCluster, type ClusterPlan } from './plan.ts';
import { requireFreePorts } from './ports.ts';
import { Screen } from './screen.ts';
import { askNode } from './status.ts';
import { invitation, summary } from './texts.ts';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** Runs until all is done or a signal comes; resolves with the exit code. */
export async function launch(args: readonly string[]): Promise<number> {
  let options: LaunchOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    return fail(error);
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  // A terminal that went away must not end us before everything else has ended.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return new Launch(options).run();
}

function fail(error: unknown): number {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof InitError || error instanceof ModuleFileError) return EXIT_USAGE;
  return error instanceof LaunchFailure ? error.exitCode : 1;
}

class Launch {
  readonly #options: LaunchOptions;
  readonly #plan: ClusterPlan;
  readonly #processes: ClusterProcesses;
  readonly #interruption: Interruption;
  #forced = false;
  #screen: Screen | null = null;

  constructor(options: LaunchOptions) {
    this.#options = options;
    this.#plan = planCluster(options.dataDir, options.portBase, options.postgresPort);
    this.#processes = new ClusterProcesses(this.#plan, (message) => this.#say(message));
    this.#interruption = new Interruption(() => this.#force());
  }

  async run(): Promise<number> {
    let code = 0;
    let claimed = false;
    try {
      makeDataFolder(this.#plan.dataDir);
      await this.#processes.claim();
      claimed = true;
      await this.#work(await this.#start());
    } catch (error) {
      code = this.#interruption.signal.aborted ? this.#interrupted() : fail(error);
    }
    if (claimed) code = await this.#stop(code);
    this.#interruption.close();
    return this.#forced ? EXIT_INTERRUPTED : code;
  }

  /** How a run without `--once` ends; one with it was to end by itself. */
  #interrupted(): number {
    if (!this.#options.once) return 0;
    process.stderr.write('interrupted before the demonstration was over\n');
    return EXIT_INTERRUPTED;
  }

  /** Starts nothing more once a signal has come, and rejects only when nothing is half started. */
  async #start(): Promise<Digest> {
    const { signal } = this.#interruption;
    const { dataDir } = this.#plan;
    await requireFreePorts(this.#plan);
    signal.throwIfAborted();
    const { created, clusterId } = await this.#makeCluster();
    this.#say(created ? `made a cluster of four in ${dataDir}` : `going on from ${dataDir}`);
    signal.throwIfAborted();
    this.#say('starting PostgreSQL');
    await this.#processes.startDatabase(signal);
    this.#say('starting four nodes in development mode, on loopback only');
    await this.#processes.startNodes(signal);
    this.#say('all four nodes are ready');
    return clusterId;
  }

  /** A module that came later runs once the validators have approved it. */
  async #makeCluster(): Promise<InitResult> {
    const { dataDir } = this.#plan;
    const options = { data: dataDir, nodes: 4, nowMs: Date.now() };
    const { modules } = this.#options;
    if (modules.length === 0 || !existsSync(clusterFiles(dataDir).genesis)) {
      return initCluster({ ...options, modules });
    }
    const made = await initCluster(options);
    const read = modules.map(readModule);
    addModules(dataDir, read);
    for (const { file, module } of notInGenesis(dataDir, read)) {
      this.#say(
        `${module.name} ${module.version} came after the cluster was made. If it does not run yet, have ` +
          `the validators approve it: npx althing module approve ${file} --at +50 --data ${dataDir}`,
      );
    }
    return made;
  }

  async #work(clusterId: Digest): Promise<void> {
    const { signal } = this.#interruption;
    const say = (message: string): void => this.#say(message);
    const result = await abortable(demonstrate(this.#plan, clusterId, signal, say), signal);
    process.stdout.write(`\n${summary(result).join('\n')}\n\n`);
    if (!this.#options.once) await this.#watch(invitation(this.#plan, result));
  }

  async #watch(footer: readonly string[]): Promise<void> {
    const read = async () => {
      const answers = await Promise.all(this.#plan.nodes.map(askNode));
      const views = this.#processes.views();
      return views.map((view, index) => ({ ...answers[index]!, process: view }));
    };
    this.#screen = new Screen(process.stdout, read, footer);
    await this.#screen.show();
    await aborted(this.#interruption.signal);
  }

  async #stop(code: number): Promise<number> {
    this.#screen?.close();
    this.#screen = null;
    try {
      await this.#processes.stop();
    } catch (error) {
      return fail(error);
    }
    return code;
  }

  #force(): void {
    this.#forced = true;
    this.#processes.kill();
  }

  /** While the screen is up, it shows what these messages say. */
  #say(message: string): void {
    if (this.#screen === null || process.stdout.isTTY !== true) {
      process.stdout.write(`\u203a ${message}\n`);
    }
  }
}
