/** `althing kv`: takes a namespace out of a cluster as a file, and brings it into one. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { Client } from '../client/client.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { exportNamespace } from '../kv-snapshot/export.ts';
import { importNamespace } from '../kv-snapshot/import.ts';
import type { CommandContext } from './command.ts';

interface ExportFlags {
  readonly url: string;
  readonly namespace: string;
  readonly output?: string;
}

interface ImportFlags {
  readonly url: string;
  readonly key: string;
  readonly namespace?: string;
}

const PROGRESS_AFTER_MS = 2000;
const PROGRESS_EVERY_MS = 1000;

const EXAMPLES = `
Examples:
  althing kv export --url http://127.0.0.1:9003 --namespace shop --output shop.jsonl
  althing kv import shop.jsonl --url http://127.0.0.1:9003,http://127.0.0.1:9005 --key client.pem

An export is what one revision of the namespace holds, as lines of JSON with a checksum at the end. It
fails when the namespace is changed meanwhile. An import writes each entry once: started again after
whatever ended it, it goes on where it was. Revisions are new ones, and keys with a lease are left out.`;

export function kvCommand(context: CommandContext): Command {
  return new Command('kv')
    .description('take a namespace out of a cluster, or bring it into one')
    .addHelpText('after', EXAMPLES)
    .addCommand(exportCommand(context))
    .addCommand(importCommand(context));
}

function withUrl(command: Command): Command {
  command.on('option:json', () => command.parent?.parent?.setOptionValue('json', true));
  return command
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .option('--json', 'print the result as JSON')
    .requiredOption('--url <list>', 'addresses of nodes, separated by commas');
}

function exportCommand(context: CommandContext): Command {
  return withUrl(new Command('export'))
    .description('write what a namespace holds as lines of JSON')
    .requiredOption('--namespace <name>', 'which namespace')
    .option('--output <file>', 'where to (default: standard output)')
    .action(async ({ url, namespace, output }: ExportFlags) => {
      const client = await Client.connect({ urls: urlsOf(url), crypto: nodeCrypto });
      const lines = counted(exportNamespace(client, namespace));
      if (output === undefined) {
        return pipeline(Readable.from(lines), process.stdout, { end: false });
      }
      const entries = await writeFile(output, lines);
      const result = { namespace, entries, output };
      context.print(result, () => `Exported ${entries} entries of ${namespace} to ${output}.`);
    });
}

function importCommand(context: CommandContext): Command {
  return withUrl(new Command('import'))
    .description('write the entries of an exported namespace')
    .argument('<file>', 'what an export wrote')
    .requiredOption('--key <file>', 'the private key that signs, in a PEM file')
    .option('--namespace <name>', 'into another namespace')
    .action(async (file: string, { url, key, namespace }: ImportFlags) => {
      const signer = loadSigner(key);
      const client = await Client.connect({ urls: urlsOf(url), crypto: nodeCrypto, signer });
      const progress = newProgress();
      const given = namespace === undefined ? {} : { namespace };
      const result = await importNamespace(client, file, {
        ...given,
        progress: (done, of) => progress(() => `${done} of ${of} entries`),
      });
      const { written, before, leased } = result;
      context.print(result, () =>
        [
          `Imported ${written} entries into ${result.namespace}.`,
          ...(before > 0 ? [`${before} had been written before.`] : []),
          ...(leased > 0 ? [`${leased} that had a lease were left out.`] : []),
        ].join('\n'),
      );
    });
}

const urlsOf = (list: string): string[] => list.split(',').map((url) => url.trim());

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

/** The file is there when it is whole. Resolves with the number of entries. */
async function writeFile(output: string, lines: AsyncIterable<string>): Promise<number> {
  const partial = `${output}.partial`;
  let count = 0;
  const counting = (async function* () {
    for await (const line of lines) {
      count++;
      yield line;
    }
  })();
  try {
    await pipeline(Readable.from(counting), createWriteStream(partial));
    await rename(partial, output);
    // But for the header and the last line.
    return count - 2;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Tells on stderr how far a long command is. */
function newProgress(): (text: () => string) => void {
  let next = performance.now() + PROGRESS_AFTER_MS;
  return (text) => {
    const now = performance.now();
    if (now < next) return;
    next = now + PROGRESS_EVERY_MS;
    process.stderr.write(`${text()}\n`);
  };
}
