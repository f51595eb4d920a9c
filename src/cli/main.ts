#!/usr/bin/env node
/**
 * `althing <command>`: what operators run beside the nodes. Results go to stdout, as text or with
 * --json as one JSON document; everything else goes to stderr. Exit codes: 0 done, 1 failure, 2 usage,
 * 3 log corrupt or altered, 130 interrupted.
 */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/load.ts';
import { VERSION } from '../config/version.ts';
import { Interrupted } from '../interruption.ts';
import { LogError } from '../log/errors.ts';
import { exitCodeOf } from '../supervisor/supervision.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { initCommand } from './init.ts';
import { kvCommand } from './kv.ts';
import { laterCommands } from './later.ts';
import { logCommand } from './log.ts';
import { moduleCommand } from './module.ts';
import { proofCommand } from './proof.ts';
import { readModelCommand } from './read-model.ts';

/** Every command, in the order of the help. */
const COMMANDS: readonly ((context: CommandContext) => Command)[] = [
  initCommand,
  logCommand,
  kvCommand,
  moduleCommand,
  proofCommand,
  readModelCommand,
];

function createProgram(): Command {
  const program = new Command('althing')
    .description('Operates an Althing cluster.')
    .version(VERSION)
    .option('--json', 'print results as JSON')
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride();
  const context: CommandContext = {
    print(result, text) {
      const json = program.opts<{ readonly json?: true }>().json === true;
      process.stdout.write(`${json ? JSON.stringify(result, null, 2) : text()}\n`);
    },
  };
  for (const create of COMMANDS) {
    const command = create(context).copyInheritedSettings(program);
    command.option('--json', 'print the result as JSON');
    command.on('option:json', () => program.setOptionValue('json', true));
    program.addCommand(command);
  }
  for (const command of laterCommands()) program.addCommand(command, { hidden: true });
  return program;
}

async function main(): Promise<number> {
  try {
    await createProgram().parseAsync();
    // A command whose result is a refusal says so by the code alone.
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    // What was cut short may still wait for something.
    if (error instanceof Interrupted) process.exit(EXIT.interrupted);
    process.stderr.write(`althing: ${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof LogError) return exitCodeOf(error.code);
    const isUsage = error instanceof UsageError || error instanceof ConfigError;
    return isUsage ? EXIT.usage : EXIT.failure;
  }
}

process.exitCode = await main();
