/** The node process: `node dist/node.js --id validator-1`. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { abortable, aborted } from './abortable.ts';
import { ConfigError, loadConfig, type NodeConfig } from './config/load.ts';
import { checkReadyFile, claimStateFolder } from './config/state-folder.ts';
import { Interrupted, Interruption } from './interruption.ts';
import { openLog, type NodeLog } from './log/node-log.ts';
import { createLogger, type Logger } from './logger.ts';
import { acquireDatabase } from './supervisor/database.ts';
import { tuneHeap } from './supervisor/heap.ts';
import type { Ports } from './supervisor/node-info.ts';
import { Node } from './supervisor/node.ts';
import { exitCodeOf } from './supervisor/supervision.ts';

function readConfig(): NodeConfig {
  try {
    const loaded = loadConfig(process.argv.slice(2), process.env, process.cwd());
    if (loaded.kind === 'config') {
      claimStateFolder(loaded.config);
      checkReadyFile(loaded.config);
      return loaded.config;
    }
    process.stdout.write(loaded.text);
    return process.exit(0);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(error.exitCode);
  }
}

function writeReadyFile(path: string, ports: Ports): void {
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify({ pid: process.pid, ports })}\n`);
  renameSync(partial, path);
}

function openNodeLog(config: NodeConfig, url: string, logger: Logger): Promise<NodeLog> {
  const { cluster, index, headsFile } = config;
  return openLog({
    url,
    clusterId: cluster.id,
    publicKey: cluster.genesis.validators[index]!.publicKey,
    headsFile,
    onLost: (error) => die(logger, exitCodeOf(error.code), error.message),
    logger,
  });
}

/** Checks every row of the log before anything is read for use (exit code 3). */
async function verify(log: NodeLog, logger: Logger): Promise<void> {
  const verified = await log.verify((progress) => logger.info(progress, 'checking the log'));
  logger.info(verified, 'the log is as it was written');
}

function die(logger: Logger, exitCode: number, reason: string): never {
  logger.fatal({ exitCode }, reason);
  return process.exit(exitCode);
}

/** The first signal aborts what is returned, the second ends the process. */
function stopOnSignals(logger: Logger): AbortSignal {
  const { signal } = new Interruption((further) => die(logger, 1, `${further}: stopped at once`));
  signal.addEventListener('abort', () => {
    const interrupted = signal.reason as Interrupted;
    logger.info({ signal: interrupted.signal }, 'draining; a second signal stops at once');
  });
  return signal;
}

async function main(): Promise<void> {
  tuneHeap();
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel, nodeId: config.id });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an exception that nobody caught');
    process.exit(1);
  });
  const signal = stopOnSignals(logger);
  for (const warning of config.warnings) logger.warn({}, warning);
  if (config.dev)
    logger.warn({}, 'dev mode: this node signs for anybody who can reach it; loopback only');
  try {
    await run(config, logger, signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) {
      const cause = error instanceof Error ? error : new Error(String(error));
      const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
      logger.fatal({ code, stack: cause.stack }, cause.message);
      process.exit(exitCodeOf(code));
    }
  }
  logger.info({}, 'stopped');
  // What a signal cut short in the start may still wait for something.
  process.exit();
}

/** Runs the node until the signal, and undoes then, or when it cannot start, what it has done. */
async function run(config: NodeConfig, logger: Logger, signal: AbortSignal): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    const database = await acquireDatabase(config, logger, signal);
    undo.push(() => database.release());
    const log = await abortable(openNodeLog(config, database.url, logger), signal);
    undo.push(() => log.close());
    // Not before the identity is ours: it may be that of a node that runs.
    if (config.readyFile !== null) rmSync(config.readyFile, { force: true });
    await abortable(verify(log, logger), signal);
    const onFatal = (exitCode: number, reason: string): void => die(logger, exitCode, reason);
    const node = new Node({ config, log, logger, onFatal });
    undo.push(() => node.drain());
    const ports = await abortable(node.start(), signal);
    if (config.readyFile !== null) writeReadyFile(config.readyFile, ports);
    logger.info({ ports, http: `http://${config.host}:${ports.http}` }, 'ready');
    await aborted(signal);
  } finally {
    for (const step of undo.toReversed())
      await step().catch((error: Error) => failed(error, logger));
  }
}

/** What follows is undone all the same. */
function failed(error: Error, logger: Logger): void {
  logger.error({ stack: error.stack }, `the stop failed: ${error.message}`);
  process.exitCode = 1;
}

await main();
