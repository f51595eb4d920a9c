#!/usr/bin/env node
/**
 * `althing <command>`: what operators run beside the nodes. Results go to stdout, as text or with
 * --json as one JSON document; everything else goes to stderr. Exit codes: 0 done, 1 failure, 2 usage,
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
import { getCommand } from './get.ts';
import { initCommand } from './init.ts';
import { addKvCommands } from './kv.ts';
import { laterCommands } from './later.ts';
import { logCommand } from './log.ts';
import { moduleCommands } from './modules.ts';
import { jsonText, printable, write } from './output.ts';
import { proofCommand } from './proof.ts';
import { readModelCommand } from './read-model.ts';
import { statusCommand } from './status.ts';
import { submitCommand } from './submit.ts';
import { watchCommand } from './watch.ts';

/** Every command, in the order of the help; behind them, those of the modules. */
const COMMANDS: readonly ((context: CommandContext) => Command)[] = [
  initCommand,
  statusCommand,
  submitCommand,
  getCommand,
  watchCommand,
  proofCommand,
  logCommand,
  readModelCommand,
];

function createProgram(): Command {
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
  for (const create of COMMANDS) program.addCommand(create(context));
  program.commandsGroup('Modules:');
  const modules = moduleCommands(context);
  addKvCommands(modules.get('kv')!, context);
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

async function main(): Promise<number> {
  try {
    await createProgram().parseAsync();
    // A command whose result is a refusal says so by the code alone.
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof Interrupted) return EXIT.interrupted;
    process.stderr.write(`althing: ${messageOf(error)}\n`);
    if (error instanceof LogError) return exitCodeOf(error.code);
    const isUsage = error instanceof UsageError || error instanceof ConfigError;
    return isUsage ? EXIT.usage : EXIT.failure;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AlthingError) {
    const { code, field, message } = error;
    return printable(`${code}${field === '' ? '' : `, ${field}`}: ${message}`);
  }
  return error instanceof Error ? error.message : String(error);
}

/** Whoever read the results has enough of them, as `head` does: that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failure);
});
const code = await main();
// What was cut short may still wait for something; what was written goes out first.
process.stdout.write('', () => process.exit(code));
