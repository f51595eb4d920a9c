/** `althing get`: what is final, from whichever node answers; verified, or with a proof to keep. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { parseTransactionId } from '../../protocols/transaction/submission.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Digest } from '../../protocols/types.ts';
import { isHex } from '../../protocols/bytes.ts';
import { AlthingError } from '../client/errors.ts';
import type { Nodes } from '../client/nodes.ts';
import { pathWith, read, type Answer, type ReadOptions } from '../client/reads.ts';
import type { Submitted } from '../client/submitter.ts';
import { given, parameters, type Given } from './arguments.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import {
  answerOf,
  connectionOptions,
  withCluster,
  withNotice,
  type Connection,
} from './connection.ts';
import { Declarations } from './declarations.ts';
import { getEvidenceCommand } from './get-evidence.ts';
import { keepProof } from './keep-proof.ts';
import { described } from './output.ts';
import { receiptText } from './submit.ts';
import { tellVerified, verification } from './verified.ts';

export interface QueryFlags {
  readonly atHeight?: number;
  readonly linearizable?: true;
  readonly proof?: string;
}

const EXAMPLES = `
Examples:
  althing get kv get namespace=demo key=greeting
  althing get kv list namespace=demo limit=10 --json
  althing get kv get namespace=demo key=greeting --proof answer.json
      for "althing proof verify answer.json --genesis data/genesis.json"
  althing get ledger account account=alice --at-height 1200
  althing get row kv entries demo/greeting --genesis data/genesis.json
  althing get block latest
  althing get evidence --json > evidence.json
      for "althing evidence verify evidence.json --genesis data/genesis.json"

With --genesis a node is not believed: what it answers is checked against the validators' keys, also
before --proof writes it. Of the result of a query, --proof writes what the node says: checked is the
proof of the rows beside it.`;

export function getCommand(context: CommandContext): Command {
  return new Command('get')
    .description('read what is final')
    .addHelpText('after', EXAMPLES)
    .addCommand(queryCommand(context), { isDefault: true })
    .addCommand(rowCommand(context))
    .addCommand(transactionCommand(context))
    .addCommand(blockCommand(context))
    .addCommand(getEvidenceCommand(context));
}

function queryCommand(context: CommandContext): Command {
  const command = new Command('query')
    .description("ask a module's query; the word itself may be left out")
    .argument('<module>', 'such as kv')
    .argument('<query>', 'such as get')
    .argument('[arguments...]', 'name=value')
    .option('--args <json>', 'arguments as a JSON object');
  withQueryOptions(command);
  const connection = connectionOptions(command, 'reads');
  return command.action(
    async (
      module: string,
      query: string,
      words: readonly string[],
      flags: QueryFlags & { readonly args?: string },
    ) => {
      await withCluster(connection(flags as never), 'reads', (cluster) =>
        ask(context, cluster, { module, query, args: given(words, flags.args) }, flags),
      );
    },
  );
}

/** How a query is to be answered. */
export function withQueryOptions(command: Command): void {
  command
    .addOption(
      new Option('--at-height <height>', 'as it was when that block had been executed').argParser(
        heightIn,
      ),
    )
    .addOption(
      new Option('--linearizable', 'all that was final anywhere when the command began').conflicts(
        'atHeight',
      ),
    )
    .addOption(
      // A proof is of the newest checkpoint.
      new Option('--proof <file>', 'write the answer with its proof to a file').conflicts([
        'atHeight',
        'linearizable',
      ]),
    );
}

function heightIn(text: string): number {
  if (/^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('It takes a height, such as 1200.');
}

interface Question {
  readonly module: string;
  readonly query: string;
  readonly args: Given;
}

/** Asks, and shows or writes the answer. */
export async function ask(
  context: CommandContext,
  cluster: Connection,
  { module, query, args }: Question,
  { atHeight, linearizable, proof }: QueryFlags,
): Promise<void> {
  const { client, signal, timeoutMs, verifies } = cluster;
  await new Declarations(cluster).canonical({ sort: 'query', module, name: query }, args);
  const spelled = parameters(args);
  if (proof !== undefined) {
    const path = pathWith(`/api/v11/${module}/${query}`, spelled);
    return keepProof(context, cluster, { path, of: { kind: 'query', module } }, proof);
  }
  const answer = await client.query(module, query, spelled, {
    ...(atHeight === undefined ? {} : { atHeight }),
    ...(linearizable === undefined ? {} : { consistency: 'linearizable' }),
    patienceMs: timeoutMs,
    signal,
  });
  tell(context, answer, verifies);
}

/** The result; and on stderr what is known of it, where nodes are not believed. */
function tell(context: CommandContext, answer: Answer<unknown>, verifies: boolean): void {
  const { height, result = null } = answer;
  const known = verifies ? verification(answer) : {};
  context.print({ height, ...known, result }, () => described(result));
  if (verifies) tellVerified(answer);
}

function rowCommand(context: CommandContext): Command {
  const command = new Command('row')
    .description('a row of any table of a module; null where there is none')
    .argument('<module>', 'such as kv')
    .argument('<table>', 'such as entries')
    .argument('<key>', 'of the row')
    .option('--proof <file>', 'write the answer with its proof to a file');
  const connection = connectionOptions(command, 'reads');
  return command.action(async (module: string, table: string, key: string, flags: QueryFlags) => {
    await withCluster(connection(flags as never), 'reads', async (cluster) => {
      const path = ['/api/v11/state', ...[module, table, key].map(encodeURIComponent)].join('/');
      if (flags.proof !== undefined) {
        const of = { kind: 'named', name: [`${module}/${table}`, key] } as const;
        return keepProof(context, cluster, { path, of }, flags.proof);
      }
      const { client, signal, timeoutMs, verifies } = cluster;
      const options = { patienceMs: timeoutMs, signal };
      const answer = verifies
        ? await client.row(module, table, key, options)
        : await believedRow(client.nodes, path, options);
      tell(context, answer, verifies);
    });
  });
}

/** Rows are read with their proof only. */
async function believedRow(nodes: Nodes, path: string, options: ReadOptions) {
  const { height, result } = await read<unknown>(nodes, path, { proof: 1 }, options);
  return { height, result: (Object(result) as { readonly result?: unknown }).result };
}

function transactionCommand(context: CommandContext): Command {
  const command = new Command('transaction')
    .description('the receipt of a transaction, or those of a submission')
    .argument('<id>', '64 digits of a submission, and -<index> for one transaction')
    .option('--proof <file>', 'write the answer with its proof to a file');
  const connection = connectionOptions(command, 'reads');
  return command.action(async (id: string, flags: QueryFlags) => {
    const named = isHex(id, 32)
      ? { submission: id as Digest, index: null }
      : parseTransactionId(id);
    if (named === null) {
      throw new UsageError(`"${id}" is no id: 64 lower-case hex digits, and -<index> for one`);
    }
    await withCluster(connection(flags as never), 'reads', async (cluster) => {
      const path = `/api/v11/transactions/${id}`;
      if (flags.proof !== undefined) {
        const of = { kind: 'named', name: [id] } as const;
        return keepProof(context, cluster, { path, of }, flags.proof);
      }
      const submitted = await receiptsOf(cluster, named.submission);
      if (named.index === null) return showReceipts(context, submitted);
      const receipt = submitted.receipts[named.index];
      if (receipt !== undefined) return showReceipts(context, receipt);
      const count = submitted.receipts.length;
      throw new AlthingError('unknown_transaction', `it has ${count} transactions, from 0 on`);
    });
  });
}

/** One that is on its way is waited for. */
async function receiptsOf(
  { client, signal, timeoutMs }: Connection,
  id: Digest,
): Promise<Submitted> {
  try {
    const reading = client.receipts(id, { patienceMs: timeoutMs, signal });
    return await withNotice('waiting for it to become final', reading);
  } catch (error) {
    const isPending = error instanceof AlthingError && error.status === 202;
    if (isPending) throw new AlthingError('pending', 'it is not final yet: ask again', 202);
    throw error;
  }
}

function showReceipts(context: CommandContext, answer: Submitted | Receipt): void {
  const receipts = 'receipts' in answer ? answer.receipts : [answer];
  context.print(answer, () => receipts.map(receiptText).join('\n'));
  if (receipts.some(({ status }) => status === 'failed')) process.exitCode = EXIT.failure;
}

function blockCommand(context: CommandContext): Command {
  const command = new Command('block')
    .description('a final block')
    .addArgument(new Argument('<height>', 'from 1, or "latest"').argParser(latestOrHeight));
  const connection = connectionOptions(command, 'reads');
  return command.action(async (height: string | number, flags: object) => {
    await withCluster(connection(flags as never), 'reads', async (cluster) => {
      const { body } = await answerOf(cluster, `/api/v11/blocks/${height}`);
      const block: unknown = JSON.parse(new TextDecoder().decode(body));
      context.print(block, () => described(summary(Object(block) as object)));
      if (cluster.verifies)
        process.stderr.write('not verified: a block is shown as a node says it\n');
    });
  });
}

function latestOrHeight(text: string): string | number {
  return text === 'latest' ? text : heightIn(text);
}

/** Without what only machines read. */
function summary(block: object): object {
  const {
    cut: _cut,
    justify: _justify,
    signature: _signature,
    certificate,
    ...rest
  } = block as {
    readonly [name: string]: unknown;
  };
  const votes = Object(certificate).votes as unknown;
  return { ...rest, ...(Array.isArray(votes) ? { votes: votes.length } : {}) };
}
