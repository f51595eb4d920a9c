/** Commands that are to come: their names are taken, and say what serves instead. */
import { Command } from 'commander';
import { UsageError } from './command.ts';

const INSTEAD: Readonly<Record<string, string>> = {
  dev: 'run "npm start" in the repository',
  snapshot: 'a node that starts reads its log in this version',
  backup: 'use the tools of PostgreSQL for the database, and keep the folder of each node',
  restore: 'a node whose database went back must not run again under its key',
  replay: 'a node that starts replays its log; "althing log export" shows it',
  bench: 'run "npm run bench" in the repository',
  cert: '"althing init" makes all certificates of a cluster',
  validator: 'validators are fixed by the genesis in this version',
};

/** Not in the help; whatever stands behind the name gets the same answer. */
export function laterCommands(): Command[] {
  return Object.entries(INSTEAD).map(([name, instead]) =>
    new Command(name)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new UsageError(`"althing ${name}" is not there yet: ${instead}`);
      }),
  );
}
