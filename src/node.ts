/** The node process: `node dist/node.js --id validator-1`. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { ConfigError, loadConfig, type NodeConfig } from './config/load.ts';
import { claimStateFolder } from './config/state-folder.ts';
import { openLog, type NodeLog } from './log/node-log.ts';
import { createLogger, type Logger } from './logger.ts';
import { acquireDatabase } from './supervisor/database.ts';
import { Node, type Ports } from './supervisor/node.ts';
import { exitCodeOf } from './supervisor/supervision.ts';

function readConfig(): NodeConfig {
  try {
    const loaded = loadConfig(process.argv.slice(2), process.env, process.cwd());
    if (loaded.kind === 'config') {
      claimStateFolder(loaded.config);
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

/** Opens the log and checks every row of it before anything is read for use (exit code 3). */
async function openVerified(config: NodeConfig, url: string, logger: Logger): Promise<NodeLog> {
  const { cluster, index, headsFile } = config;
  const log = await openLog({
    url,
    clusterId: cluster.id,
    publicKey: cluster.genesis.validators[index]!.publicKey,
    headsFile,
    onLost: (error) => die(logger, exitCodeOf(error.code), error.message),
    logger,
  });
  const verified = await log.verify((progress) => logger.info(progress, 'checking the log'));
  logger.info(verified, 'the log is as it was written');
  return log;
}

function die(logger: Logger, exitCode: number, reason: string): never {
  logger.fatal({ exitCode }, reason);
  return process.exit(exitCode);
}

function stopOnSignals(logger: Logger, stop: () => Promise<void>): void {
  let isStopping = false;
  const onSignal = (signal: string): void => {
    if (isStopping) die(logger, 1, `${signal} again: stopped at once`);
    isStopping = true;
    logger.info({ signal }, 'draining; the same signal again stops at once');
    stop().then(
      () => process.exit(0),
      (error: Error) => die(logger, 1, `the drain failed: ${error.message}`),
    );
  };
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  process.on('SIGINT', () => onSignal('SIGINT'));
}

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel, nodeId: config.id });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an exception that nobody caught');
    process.exit(1);
  });
  if (config.readyFile !== null) rmSync(config.readyFile, { force: true });
  for (const warning of config.warnings) logger.warn({}, warning);
  if (config.dev)
    logger.warn({}, 'dev mode: this node signs for anybody who can reach it; loopback only');
  try {
    await run(config, logger);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    logger.fatal({ code, stack: cause.stack }, cause.message);
    process.exit(exitCodeOf(code));
  }
}

async function run(config: NodeConfig, logger: Logger): Promise<void> {
  // What a stop undoes, in the order in which it was done. A signal may come in the middle.
  const undo: (() => Promise<void>)[] = [];
  stopOnSignals(logger, async () => {
    for (const step of undo.toReversed()) await step();
    logger.info({}, 'stopped');
  });
  const database = await acquireDatabase(config, logger);
  undo.push(() => database.release());
  const log = await openVerified(config, database.url, logger);
  undo.push(() => log.close());
  const onFatal = (exitCode: number, reason: string): void => die(logger, exitCode, reason);
  const node = new Node({ config, log, logger, onFatal });
  undo.push(() => node.drain());
  const ports = await node.start();
  if (config.readyFile !== null) writeReadyFile(config.readyFile, ports);
  logger.info({ ports, http: `http://${config.host}:${ports.http}` }, 'ready');
}

await main();
