#!/usr/bin/env node
/**
 * `althing <command>`: what operators run beside the nodes, and people who build on them. Results go to
 * stdout, as text or with --json as JSON; everything else goes to stderr. Exit codes: 0 done, 1 failure, 2 usage,
 * 3 log corrupt or altered, 130 interrupted.
 */
import { Command, CommanderError } from 'commander';
import { AlthingError } from '../client/errors.ts';
import { ConfigError } from '../config/load.ts';
import { VERSION } from '../config/version.ts';
import { Interrupted } from '../interruption.ts';
import { LogError } from '../log/errors.ts';
import { exitCodeOf } from '../supervisor/supervision.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { completionCommand } from './completion.ts';
import { laterCommands } from './later.ts';
import { jsonText, printable, printableLines, watchReaders, write } from './output.ts';

type Create = (context: CommandContext) => Command;

/** Every command, in the order of the help: loaded when it is named, for what all need takes long. */
const COMMANDS: Readonly<Record<string, () => Promise<Create>>> = {
  init: async () => (await import('./init.ts')).initCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  submit: async () => (await import('./submit.ts')).submitCommand,
  get: async () => (await import('./get.ts')).getCommand,
  watch: async () => (await import('./watch.ts')).watchCommand,
  key: async () => (await import('./key.ts')).keyCommand,
  proof: async () => (await import('./proof.ts')).proofCommand,
  evidence: async () => (await import('./evidence.ts')).evidenceCommand,
  module: async () => (await import('./module.ts')).moduleCommand,
  log: async () => (await import('./log.ts')).logCommand,
  'read-model': async () => (await import('./read-model.ts')).readModelCommand,
};

async function moduleCommandsOf(context: CommandContext): Promise<ReadonlyMap<string, Command>> {
  const [{ moduleCommands }, { addKvCommands }] = await Promise.all([
    import('./modules.ts'),
    import('./kv.ts'),
  ]);
  const modules = moduleCommands(context);
  addKvCommands(modules.get('kv')!, context);
  return modules;
}

/** With the command or the module that `word` names, or with all. */
async function createProgram(word: string): Promise<Command> {
  const program = new Command('althing')
    .description('Operates an Althing cluster, and speaks to it.')
    .version(VERSION)
    .option('--json', 'print results as JSON');
  const isJson = (): boolean => program.opts<{ readonly json?: true }>().json === true;
  const context: CommandContext = {
    print(result, text) {
      process.stdout.write(`${isJson() ? jsonText(result, 2) : text()}\n`);
    },
    line(result, text) {
      return write(`${isJson() ? jsonText(result) : text()}\n`);
    },
  };
  const isCommand = Object.hasOwn(COMMANDS, word);
  const modules = isCommand ? new Map<string, Command>() : await moduleCommandsOf(context);
  const loads = isCommand ? [COMMANDS[word]!] : modules.has(word) ? [] : Object.values(COMMANDS);
  for (const load of loads) program.addCommand((await load())(context));
  program.addCommand(completionCommand(program, context));
  program.commandsGroup('Modules:');
  for (const command of modules.values()) program.addCommand(command);
  for (const command of laterCommands()) program.addCommand(command, { hidden: true });
  settle(program, program);
  return program;
}

/** What holds for a command and all below it: how it refuses, and that --json may stand anywhere. */
function settle(command: Command, program: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for what there is)');
  if (command !== program && !command.options.some(({ long }) => long === '--json')) {
    command.option('--json', 'print the result as JSON');
    command.on('option:json', () => program.setOptionValue('json', true));
  }
  for (const each of command.commands) settle(each, program);
}

/** With which the client refuses what it is asked, before any node is. */
const USAGE = new Set(['bad_genesis', 'bad_option', 'needs_module', 'not_provable']);

async function main(): Promise<number> {
  try {
    const word = process.argv.slice(2).find((each) => !each.startsWith('-')) ?? '';
    await (await createProgram(word)).parseAsync();
    // A command whose result is a refusal says so by the code alone.
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof Interrupted) return EXIT.interrupted;
    process.stderr.write(`althing: ${messageOf(error)}\n`);
    if (error instanceof LogError) return exitCodeOf(error.code);
    const isUsage =
      error instanceof UsageError ||
      error instanceof ConfigError ||
      (error instanceof AlthingError && USAGE.has(error.code));
    return isUsage ? EXIT.usage : EXIT.failure;
  }
}

/** Printable, whoever wrote it. What nodes say is one line, and what is said here may be several. */
function messageOf(error: unknown): string {
  if (error instanceof AlthingError) {
    const { code, field, message } = error;
    const isNamed = field === '' || message.startsWith(`${field}: `);
    return printable(`${code}${isNamed ? '' : `, ${field}`}: ${message}`);
  }
  const text = error instanceof Error ? error.message : String(error);
  return printableLines(text.split('\n'));
}

watchReaders(EXIT.failure);
process.exitCode = await main();
// What was cut short may still wait for something; what was written goes out first, and what could not
// be written (watchReaders) is told a moment after it.
process.stdout.write('', () => setImmediate(() => process.exit()));
