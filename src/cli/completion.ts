/** `althing completion`: a script by which a shell completes the commands and options of this program. */
import { Argument, Command } from 'commander';
import type { CommandContext } from './command.ts';
import { SHELLS, type Place, type Shell } from './shells.ts';

const NAMES = Object.keys(SHELLS) as Shell[];

const EXAMPLES = `
Examples:
  source <(althing completion bash)
  source <(althing completion zsh)
  althing completion fish | source

The script holds all there is to know: nothing of this program runs while somebody types.`;

/** `program`: with all that is to be completed, when the command runs. */
export function completionCommand(program: Command, context: CommandContext): Command {
  return new Command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', NAMES.join(', ')).choices(NAMES))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      const script = SHELLS[shell](program.name(), placesIn(program));
      context.print({ shell, script }, () => script);
    });
}

/** The command and all below it that the help shows. */
export function placesIn(command: Command, path = ''): Place[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const place: Place = {
    path,
    commands: below.map((each) => ({ name: each.name(), description: each.description() })),
    options: help.visibleOptions(command).map(({ long, short, required, ...option }) => ({
      flags: [long, short].filter((flag) => typeof flag === 'string'),
      description: option.description,
      takesValue: required,
      choices: option.argChoices ?? [],
    })),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
  return [place, ...below.flatMap((each) => placesIn(each, `${path} ${each.name()}`))];
}
