/** `althing watch`: follows what becomes final, from any height on, without a gap. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { SubscribeOptions } from '../client/subscription.ts';
import type { CommandContext } from './command.ts';
import { connectionOptions, listIn, withCluster } from './connection.ts';
import { jsonText, printable } from './output.ts';

interface Flags {
  readonly module?: readonly string[];
  readonly topic?: readonly string[];
  readonly from?: string;
  readonly after?: string;
  readonly blocks?: true;
  readonly transactions?: true;
  readonly limit?: number;
}

const EXAMPLES = `
Examples:
  althing watch
  althing watch --module kv --module ledger
  althing watch --topic kv.set --from 1 --json | jq .data
  althing watch --from 1 --limit 10

One line an event, until it is interrupted. When a node goes away it goes on at the next one, at the same
place. In the JSON of each line is its id: --after goes on behind it. A node is believed here:
"althing get transaction ID --genesis FILE" verifies what an event came from.`;

export function watchCommand(context: CommandContext): Command {
  const command = new Command('watch')
    .description('follow what becomes final')
    .addOption(repeated('--module <name>', 'only of this module; may be repeated'))
    .addOption(repeated('--topic <topic>', 'only these events, such as kv.set or ledger.*'))
    .addOption(new Option('--from <height>', 'from this height on').argParser(height))
    .addOption(new Option('--after <id>', 'what follows this id').conflicts('from').argParser(id))
    .option('--blocks', 'blocks, too')
    .option('--transactions', 'transactions, too')
    .addOption(new Option('--limit <n>', 'end after so many lines').argParser(count))
    .addHelpText('after', EXAMPLES);
  const connection = connectionOptions(command, 'follows');
  return command.action(async (flags: Flags) => {
    await withCluster(connection(flags as never), 'follows', async ({ client, interrupted }) => {
      let left = flags.limit ?? Infinity;
      for await (const item of client.subscribe({ ...wishOf(flags), signal: interrupted })) {
        await context.line(item, () => lineOf(item as unknown as Message));
        if (--left === 0) return;
      }
      throw interrupted.reason;
    });
  });
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser(
    (text: string, before: readonly string[] = []) => [...before, ...listIn(text)],
  );
}

function height(text: string): string {
  if (/^[1-9]\d{0,14}$/.test(text)) return text;
  throw new InvalidArgumentError('It takes a height, from 1.');
}

function id(text: string): string {
  if (/^\d{1,15}(\.\d{1,15})?$/.test(text)) return text;
  throw new InvalidArgumentError('It takes an id such as 12.3.');
}

function count(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a number, from 1.');
}

function wishOf({ module, topic, from, after, blocks, transactions }: Flags): SubscribeOptions {
  return {
    trust: 'node',
    ...(from === undefined ? {} : { from: Number(from) }),
    ...(after === undefined ? {} : { after }),
    ...(module === undefined ? {} : { modules: module }),
    ...(topic === undefined ? {} : { topics: topic }),
    blocks: blocks === true,
    transactions: transactions === true,
  };
}

type Message = Readonly<Record<string, unknown>>;

function lineOf(message: Message): string {
  const { kind, height: at, module, name, data, command, status, error, transaction } = message;
  const text = (value: unknown): string => printable(String(value));
  switch (kind) {
    case 'event':
      return `${text(at)}  ${text(module)}.${text(name)} ${jsonText(data)}`;
    case 'transaction': {
      const code = status === 'failed' ? ` ${text(Object(error).code)}` : '';
      return `${text(at)}  ${text(status)}${code} ${text(module)} ${text(command)} ${text(transaction)}`;
    }
    default:
      return `${text(at)}  ${text(kind)} ${jsonText(rest(message))}`;
  }
}

function rest(message: Message): object {
  const { kind: _kind, height: _height, id: _id, ...others } = message;
  return others;
}
