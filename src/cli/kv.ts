/** `althing kv`: takes a namespace out of a cluster as a file, and brings it into one. */
import { Readable } from 'node:stream';
import { writeFile as fill } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { abortable } from '../abortable.ts';
import { exportNamespace } from '../kv-snapshot/export.ts';
import { importNamespace } from '../kv-snapshot/import.ts';
import { writeWhole } from '../whole-file.ts';
import { checkReadable, UsageError, type CommandContext } from './command.ts';
import { connectionOptions, withCluster } from './connection.ts';
import { newProgress } from './output.ts';

const CHUNK_LENGTH = 64 * 1024;

interface ExportFlags {
  readonly namespace: string;
  readonly output?: string;
}

interface ImportFlags {
  readonly namespace?: string;
}

const EXAMPLES = `
Examples:
  althing kv export --namespace shop --output shop.jsonl
  althing kv import shop.jsonl --url http://127.0.0.1:9003,http://127.0.0.1:9005 --key client.pem

An export is what the namespace held at one height, whatever is written meanwhile, as lines of JSON with
a checksum at the end. It is a node's word and not proved: --genesis is refused. An import writes each entry once: started again after
whatever ended it, it goes on where it was. Revisions are new ones, and keys with a lease are left out.`;

/** Beside those of the module's declaration. */
export function addKvCommands(kv: Command, context: CommandContext): void {
  kv.addHelpText('after', EXAMPLES)
    .addCommand(exportCommand(context))
    .addCommand(importCommand(context));
}

function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .description('write what a namespace holds as lines of JSON')
    .requiredOption('--namespace <name>', 'which namespace')
    .option('--output <file>', 'where to (default: standard output)');
  const connection = connectionOptions(command, 'reads');
  return command.action(async (flags: ExportFlags) => {
    const { namespace, output } = flags;
    await withCluster(connection(flags as never), 'reads', ({ client, interrupted, verifies }) => {
      if (verifies) {
        throw new UsageError(
          'an export is not proved: it goes without --genesis (ALTHING_GENESIS)',
        );
      }
      const lines = until(interrupted, counted(exportNamespace(client, namespace)));
      return output === undefined
        ? abortable(pipeline(Readable.from(lines), process.stdout, { end: false }), interrupted)
        : write(context, lines, namespace, output);
    });
  });
}

async function write(
  context: CommandContext,
  lines: AsyncIterable<string>,
  namespace: string,
  output: string,
): Promise<void> {
  const entries = await writeFile(output, lines);
  const result = { namespace, entries, output };
  context.print(result, () => `Exported ${entries} entries of ${namespace} to ${output}.`);
}

function importCommand(context: CommandContext): Command {
  const command = new Command('import')
    .description('write the entries of an exported namespace')
    .argument('<file>', 'what an export wrote')
    .option('--namespace <name>', 'into another namespace');
  const connection = connectionOptions(command, 'signs');
  return command.action(async (file: string, flags: ImportFlags) => {
    checkReadable(file);
    await withCluster(connection(flags as never), 'signs', async ({ client, interrupted }) => {
      const progress = newProgress();
      const given = flags.namespace === undefined ? {} : { namespace: flags.namespace };
      const importing = importNamespace(client, file, {
        ...given,
        progress: (done, of) => progress(() => `${done} of ${of} entries`),
      });
      const result = await abortable(importing, interrupted);
      const { written, before, leased } = result;
      context.print(result, () =>
        [
          `Imported ${written} entries into ${result.namespace}.`,
          ...(before > 0 ? [`${before} had been written before.`] : []),
          ...(leased > 0 ? [`${leased} that had a lease were left out.`] : []),
        ].join('\n'),
      );
    });
  });
}

async function* counted(lines: AsyncIterable<string>): AsyncGenerator<string, void> {
  const progress = newProgress();
  let count = 0;
  let bytes = 0;
  for await (const line of lines) {
    yield line;
    count++;
    bytes += line.length;
    progress(() => `${count} lines, ${(bytes / 1_000_000).toFixed(0)} MB`);
  }
}

/** What was written before the signal is taken back by whoever reads these. */
async function* until(signal: AbortSignal, lines: AsyncIterable<string>): AsyncGenerator<string> {
  const iterator = lines[Symbol.asyncIterator]();
  for (;;) {
    const next = await abortable(iterator.next(), signal);
    if (next.done === true) return;
    yield next.value;
  }
}

/** The file is there when it is whole. Resolves with the number of entries. */
async function writeFile(output: string, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  const chunks = (async function* () {
    let chunk = '';
    for await (const line of lines) {
      count++;
      chunk += line;
      if (chunk.length < CHUNK_LENGTH) continue;
      yield chunk;
      chunk = '';
    }
    yield chunk;
  })();
  await writeWhole(output, (file) => fill(file, chunks));
  // But for the header and the last line.
  return count - 2;
}
