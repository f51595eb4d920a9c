/** `althing watch`: follows what becomes final, from any height on, without a gap. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { StreamItem, SubscribeOptions } from '../client/subscription.ts';
import type { CommandContext } from './command.ts';
import { collected, connectionOptions, withCluster } from './connection.ts';
import { jsonText, printable } from './output.ts';

interface Flags {
  readonly module?: readonly string[];
  readonly topic?: readonly string[];
  readonly from?: number;
  readonly after?: string;
  readonly blocks?: true;
  readonly transactions?: true;
  readonly limit?: number;
}

type Members = Readonly<Record<string, unknown>>;

const EXAMPLES = `
Examples:
  althing watch
  althing watch --module kv --module ledger
  althing watch --topic kv.set --from 1 --json | jq .data
  althing watch --from 1 --limit 10

One line an event, until it is interrupted. When a node goes away it goes on at the next one, at the same
place. In the JSON of each line is its id: --after goes on behind it. With --genesis no node is believed:
events are proved before they are shown.`;

export function watchCommand(context: CommandContext): Command {
  const command = new Command('watch')
    .description('follow what becomes final')
    .option('--module <name>', 'only of this module; may be repeated', collected, undefined)
    .option(
      '--topic <topic>',
      'only these events, such as kv.set or ledger.*',
      collected,
      undefined,
    )
    .addOption(new Option('--from <height>', 'from this height on').argParser(height))
    .addOption(new Option('--after <id>', 'what follows this id').conflicts('from').argParser(id))
    .option('--blocks', 'blocks, too')
    .option('--transactions', 'transactions, too')
    .addOption(new Option('--limit <n>', 'end after so many lines').argParser(count))
    .addHelpText('after', EXAMPLES);
  const connection = connectionOptions(command, 'reads');
  return command.action(async (flags: Flags) => {
    await withCluster(connection(flags as never), 'reads', async ({ client, interrupted }) => {
      let left = flags.limit ?? Infinity;
      for await (const item of client.subscribe({ ...wishOf(flags), signal: interrupted })) {
        await context.line(item, () => lineOf(item));
        if (--left === 0) return;
      }
      throw interrupted.reason;
    });
  });
}

function height(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a height, from 1.');
}

/** Of which form it has to be depends on whether events are proved. */
function id(text: string): string {
  if (/^\d{1,15}(\.\d{1,15}|\/\d{1,10}\/\d{1,10})?$/.test(text)) return text;
  throw new InvalidArgumentError('It takes an id, as lines have it.');
}

function count(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a number, from 1.');
}

function wishOf({ module, topic, from, after, blocks, transactions }: Flags): SubscribeOptions {
  return {
    ...(from === undefined ? {} : { from }),
    ...(after === undefined ? {} : { after }),
    modules: module ?? [],
    topics: topic ?? [],
    blocks: blocks === true,
    transactions: transactions === true,
  };
}

function lineOf(item: StreamItem): string {
  const { kind, height: at, id: _id, ...members } = item as StreamItem & Members;
  const { module, name, data, command, status, error, transaction, ...rest } = members;
  const text = (value: unknown): string => printable(String(value));
  switch (kind) {
    case 'event':
      return `${at}  ${text(module)}.${text(name)} ${jsonText(data)}`;
    case 'transaction': {
      const code = status === 'failed' ? ` ${text(Object(error).code)}` : '';
      return `${at}  ${text(status)}${code} ${text(module)} ${text(command)} ${text(transaction)}`;
    }
    case 'block':
      return `${at}  block ${jsonText(rest)}`;
  }
}
