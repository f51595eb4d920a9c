/** `althing log`: checks a node's log row by row, and writes it out as lines of JSON. */
import { once } from 'node:events';
import { Command } from 'commander';
import { abortable } from '../abortable.ts';
import { loadConfig, type Database, type NodeConfig } from '../config/load.ts';
import { Interruption } from '../interruption.ts';
import { exportLog } from '../log/export.ts';
import {
  verifyLog,
  type VerifyOptions,
  type VerifyProgress,
  type VerifyResult,
} from '../log/verify.ts';
import { createLogger } from '../logger.ts';
import { startEmbeddedPostgres } from '../postgres/embedded.ts';
import { isInitialised } from '../postgres/initialise.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { dataOption, folderOf, type DataFlags } from './data-folder.ts';

export interface Place extends DataFlags {
  readonly databaseUrl?: string;
  readonly postgresPort?: string;
}

interface ExportFlags extends Place {
  readonly stream?: string;
  readonly from?: string;
  readonly to?: string;
  readonly bodies: boolean;
}

/** The log, and what is known of it where the node itself is known. */
type Source = Pick<VerifyOptions, 'url' | 'owner' | 'headsFile'>;

const PROGRESS_AFTER_MS = 2000;
const PROGRESS_EVERY_MS = 1000;

const EXAMPLES = `
Examples:
  althing log verify --id validator-1
  althing log verify --database-url postgres://user@db.example:5432/althing_validator_1
  althing log export --id validator-1 --stream consensus --from 1000 --to 1100 --no-bodies
      one event a line; header and body in base64

A password belongs into a file named by PGPASSFILE, or with --id into ALTHING_DATABASE_URL: everybody
on the machine can read the arguments of a process.

Both may run while the node runs. verify ends with exit code 3 if a row is not what was written,
and names it. The embedded server is started for the time of the command if it does not run.`;

export function logCommand(context: CommandContext): Command {
  return new Command('log')
    .description("check or write out a node's log")
    .addHelpText('after', EXAMPLES)
    .addCommand(verifyCommand(context))
    .addCommand(exportCommand());
}

export function withPlace(command: Command): Command {
  return command
    .option('--id <id>', 'the node whose log it is')
    .addOption(dataOption())
    .option('--database-url <url>', "the log's database, instead of a node's own")
    .option('--postgres-port <port>', 'of the embedded server, where this command starts it');
}

function verifyCommand(context: CommandContext): Command {
  return withPlace(new Command('verify'))
    .description('read every row and compute every digest again')
    .action(async (flags: Place) => {
      await withSource(flags, async (source) => {
        const result = await verifyLog({ ...source, progress: newProgress() });
        context.print(result, () => human(result));
      });
    });
}

function exportCommand(): Command {
  return withPlace(new Command('export'))
    .description('write events as lines of JSON')
    .option('--stream <name>', 'only this stream')
    .option('--from <seq>', 'first position')
    .option('--to <seq>', 'position after the last one')
    .option('--no-bodies', 'leave bodies out')
    .action(async (flags: ExportFlags) => {
      const range = { ...position('from', flags.from), ...position('to', flags.to) };
      const stream = flags.stream === undefined ? {} : { stream: flags.stream };
      await withSource(flags, async (source) => {
        const options = { ...source, bodies: flags.bodies, ...stream, ...range };
        for await (const line of exportLog(options)) {
          if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
        }
      });
    });
}

function position(name: 'from' | 'to', text: string | undefined): { from?: number; to?: number } {
  if (text === undefined) return {};
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${name} takes a position, such as 1000`);
  return { [name]: Number(text) };
}

/** Gives the log's place to `work`. */
export async function withSource(
  place: Place,
  work: (source: Source) => Promise<void>,
): Promise<void> {
  if (place.databaseUrl !== undefined && place.id === undefined) {
    return work({ url: place.databaseUrl });
  }
  const { database, headsFile, cluster, index } = configOf(place);
  const owner = { clusterId: cluster.id, publicKey: cluster.genesis.validators[index]!.publicKey };
  if (database.kind === 'url') return work({ url: database.url, owner, headsFile });
  if (!isInitialised(database.folder)) {
    throw new UsageError(
      `${database.folder} holds no database server, so there is no log to read: if the node ` +
        'keeps its log elsewhere, name the database by ALTHING_DATABASE_URL or --database-url',
    );
  }
  await withEmbedded(database, (url) => work({ url, owner, headsFile }));
}

export function configOf(place: Place): NodeConfig {
  const { id, databaseUrl, postgresPort } = place;
  if (id === undefined)
    throw new UsageError('name the node with --id, or its database with --database-url');
  const url = databaseUrl === undefined ? [] : ['--database-url', databaseUrl];
  const port = postgresPort === undefined ? [] : ['--postgres-port', postgresPort];
  const words = ['--id', id, '--data', folderOf(place), ...url, ...port];
  const loaded = loadConfig(words, process.env, process.cwd());
  if (loaded.kind === 'text') throw new UsageError(`"${id}" names no node`);
  return loaded.config;
}

/**
 * Leaves a server that others use as it is, and stops one that it started, whatever ends it. Rejects
 * with `Interrupted` after a signal.
 */
async function withEmbedded(
  { folder, port, name }: Extract<Database, { kind: 'embedded' }>,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const log = createLogger({ level: 'warn', nodeId: 'cli' });
  const { signal } = new Interruption(() => process.exit(EXIT.interrupted));
  const server = await startEmbeddedPostgres({ dir: folder, port, log, signal });
  try {
    await abortable(work(server.url(name)), signal);
  } finally {
    await server.release();
  }
}

function newProgress(): (progress: VerifyProgress) => void {
  const started = performance.now();
  let next = started + PROGRESS_AFTER_MS;
  return ({ stream, events, bytes }) => {
    const now = performance.now();
    if (now < next) return;
    next = now + PROGRESS_EVERY_MS;
    const megabytes = bytes / 1_000_000;
    const rate = megabytes / ((now - started) / 1000);
    process.stderr.write(
      `${events} events, ${megabytes.toFixed(0)} MB, ${rate.toFixed(0)} MB/s, in stream ${stream}\n`,
    );
  };
}

function human({ clusterId, publicKey, streams, events, bytes }: VerifyResult): string {
  const width = Math.max(...streams.map(({ name }) => name.length), 0);
  return [
    `The log of node ${publicKey} in cluster ${clusterId} is what was written:`,
    ...streams.map(
      ({ name, events: count, head }) => `  ${name.padEnd(width)}  ${count} events, head ${head}`,
    ),
    `${events} events, ${bytes} bytes checked.`,
  ].join('\n');
}
