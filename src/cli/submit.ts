/** `althing submit`: signs transactions, sends them, and waits until they are final. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Submitted } from '../client/submitter.ts';
import { given, parsed } from './arguments.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { connectionOptions, withCluster, type Connection } from './connection.ts';
import { Declarations } from './declarations.ts';
import { Journal, withJournal } from './journal.ts';
import { newProgress, jsonText, printable } from './output.ts';
import { finish, Sending } from './sending.ts';

interface Flags {
  readonly args?: string;
  readonly file?: string;
  readonly save?: string;
  readonly resend?: string;
  readonly wait: boolean;
}

const EXAMPLES = `
Examples:
  althing submit kv set namespace=demo key=greeting value=hello
  althing submit kv set namespace=demo key=answer value:=42
  althing submit kv set --args '{"namespace":"demo","key":"list","value":[1,2]}'
  althing submit --file transactions.jsonl --save sent.jsonl
      one transaction a line: {"module":"kv","command":"set","args":{…}}

name=value is text, name:=value is JSON. With --save everything signed is in FILE before it is sent:
run again with the same FILE, the command goes on where it was, and nothing executes twice: after
--no-wait it tells what became of the transaction.
Ends with exit code 0 if all succeeded, 1 if a transaction failed.`;

export function submitCommand(context: CommandContext): Command {
  const command = new Command('submit')
    .description('send transactions and wait until they are final')
    .argument('[module]', 'such as ledger')
    .argument('[command]', 'such as transfer')
    .argument('[arguments...]', 'name=value, or name:=JSON')
    .option('--args <json>', 'arguments as a JSON object')
    .option('--file <file>', 'transactions as lines of JSON; - for standard input')
    .option('--save <file>', 'where to keep what was signed, to go on after an interruption')
    .option('--resend <file>', 'send again what a file keeps, and nothing else')
    .option('--no-wait', 'do not wait until it is final')
    .addHelpText('after', EXAMPLES);
  const connection = connectionOptions(command, 'signs');
  return command.action(
    async (
      module: string | undefined,
      name: string | undefined,
      words: readonly string[],
      flags: Flags,
    ) => {
      checkFlags(flags, module, name);
      const uses = flags.resend === undefined ? 'signs' : 'sends';
      await withCluster(connection(flags as never), uses, async (cluster) => {
        if (flags.resend !== undefined) return resend(context, cluster, new Journal(flags.resend));
        await withJournal(flags.save, async (journal) => {
          if (flags.file !== undefined) return sendFile(context, cluster, journal, flags.file);
          const member = { sort: 'command', module: module!, name: name! } as const;
          const written = given(words, flags.args);
          const args = await new Declarations(cluster).canonical(member, written);
          const call = { module: module!, command: name!, args };
          await sendCall(context, cluster, call, journal, flags);
        });
      });
    },
  );
}

function checkFlags({ file, resend: again, args, wait }: Flags, module?: string, command?: string) {
  const ways = [module !== undefined, file !== undefined, again !== undefined];
  if (ways.filter(Boolean).length !== 1) {
    throw new UsageError('name a module and a command, or a --file, or what to --resend');
  }
  if (module !== undefined && command === undefined) {
    throw new UsageError(`name a command of ${module}: "althing ${module} --help" lists them`);
  }
  if (module === undefined && (args !== undefined || !wait)) {
    throw new UsageError('--args and --no-wait are for a single transaction');
  }
}

/** One transaction, from the words of a command line. */
export async function sendCall(
  context: CommandContext,
  cluster: Connection,
  call: Call,
  journal: Journal | null,
  { wait }: { readonly wait: boolean },
): Promise<void> {
  const sending = new Sending(cluster, journal);
  if (!wait) {
    const sent = await sending.accept([call]);
    if ('receipts' in sent) return tellOne(context, sent);
    return context.print(sent, () => `accepted ${sent.id}`);
  }
  for await (const submitted of sending.send(once(call))) tellOne(context, submitted);
}

function tellOne(context: CommandContext, { receipts }: Submitted): void {
  context.print(receipts[0], () => receiptText(receipts[0]!));
  note(receipts);
}

async function* once(call: Call): AsyncGenerator<Call, void> {
  yield call;
}

async function sendFile(
  context: CommandContext,
  cluster: Connection,
  journal: Journal | null,
  file: string,
): Promise<void> {
  const progress = newProgress();
  let done = 0;
  for await (const submitted of new Sending(cluster, journal).send(callsIn(cluster, file))) {
    await tell(context, submitted);
    done += submitted.receipts.length;
    progress(() => `${done} transactions are final`);
  }
}

async function resend(context: CommandContext, cluster: Connection, journal: Journal) {
  for (const saved of journal.read()) {
    const sent = cluster.client.resend(saved.bytes, { signal: cluster.interrupted });
    await tell(context, await finish(cluster, sent, saved, journal));
  }
}

async function tell(context: CommandContext, { receipts }: Submitted): Promise<void> {
  for (const receipt of receipts) await context.line(receipt, () => receiptText(receipt));
  note(receipts);
}

/** That one failed says the exit code, whatever follows. */
function note(receipts: readonly Receipt[]): void {
  if (receipts.some(({ status }) => status === 'failed')) process.exitCode = EXIT.failure;
}

export function receiptText({ id, height, status, result, error, events }: Receipt): string {
  return [
    status === 'ok'
      ? `ok ${id} at height ${height}`
      : `failed ${id} at height ${height}: ${printable(`${error?.code}: ${error?.message}`)}`,
    ...(result === undefined ? [] : [`  result ${jsonText(result)}`]),
    ...events.map(({ module, name, data }) => `  event ${module}.${name} ${jsonText(data)}`),
  ].join('\n');
}

/** Throws UsageError that names the line at fault, when it comes to it. */
async function* callsIn(cluster: Connection, file: string): AsyncGenerator<Call, void> {
  const declarations = new Declarations(cluster);
  const input = file === '-' ? process.stdin : createReadStream(file);
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UsageError(`cannot read ${file} (${error.code})`)),
    );
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (let number = 1; ; number++) {
    const next = await Promise.race([lines.next(), failed]);
    if (next.done === true) return;
    if (next.value.trim() === '') continue;
    try {
      const { module, command, args = {} } = transactionIn(next.value);
      const member = { sort: 'command', module, name: command } as const;
      yield { module, command, args: await declarations.canonical(member, args, 'json') };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${file}, line ${number}: ${error.message}`);
    }
  }
}

function transactionIn(line: string) {
  const value = parsed(line, 'it') as Readonly<Record<string, unknown>> | null;
  const { module, command, args, ...others } = Object(value) as Record<string, unknown>;
  const isSound =
    typeof module === 'string' &&
    typeof command === 'string' &&
    (args === undefined || (typeof args === 'object' && args !== null && !Array.isArray(args)));
  if (!isSound || Object.keys(others).length > 0) {
    throw new UsageError('a transaction is {"module": …, "command": …, "args": {…}}');
  }
  return { module, command, args: args as Readonly<Record<string, unknown>> | undefined };
}
