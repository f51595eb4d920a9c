/** `althing module`: makes, checks and brings modules of users into a cluster. */
import { Command } from 'commander';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterFiles } from '../init/layout.ts';
import { addModules } from '../init/modules.ts';
import { parsed } from './arguments.ts';
import { readText, UsageError, type CommandContext } from './command.ts';
import { dataOption, folderOf, refuseNoFolder, type DataFlags } from './data-folder.ts';
import { moduleIn } from './module-file.ts';
import { approveCommand, listCommand } from './module-upgrades.ts';
import { withdrawCommand } from './module-withdraw.ts';

/** This file runs from dist/src/cli/. */
const ALTHING = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const TEMPLATE = join(ALTHING, 'templates', 'module');
const TEMPLATE_NAME = 'raffle';
const NAME = /^[a-z][a-z0-9]{0,31}$/;

const EXAMPLES = `
Examples:
  althing module new raffle                   a working example with its tests, in raffle/
  althing module check raffle/raffle.ts       what it declares, or where it is no module
  althing init --module raffle/raffle.ts      a cluster that runs it from the start
  althing module add raffle/raffle.ts         for a cluster that is there: gives the file to its nodes
  althing module approve raffle/raffle.ts --at +50
      has the validators whose keys lie in the data folder approve that it takes over at a height
  althing module withdraw raffle --at 5000    takes that back, before the height
  althing module list                         what runs, what is to come, and which nodes lack it`;

export function moduleCommand(context: CommandContext): Command {
  return new Command('module')
    .description('make a module, check it, bring it into a cluster')
    .addHelpText('after', EXAMPLES)
    .addCommand(newCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(digestCommand(context))
    .addCommand(addCommand(context))
    .addCommand(approveCommand(context))
    .addCommand(withdrawCommand(context))
    .addCommand(listCommand(context));
}

function newCommand(context: CommandContext): Command {
  return new Command('new')
    .description('make a working example of a module, with tests')
    .argument('<name>', 'small letters and digits, a letter first')
    .option('--dir <dir>', 'where to (default: a folder of that name)')
    .action((name: string, { dir }: { readonly dir?: string }) => {
      const folder = resolve(dir ?? name);
      const files = make(name, folder);
      context.print({ folder, files }, () =>
        [
          `Made ${folder}:`,
          ...files.map((file) => `  ${file}`),
          'To run its tests, and see what it declares:',
          `  cd ${relative('.', folder) || '.'}`,
          '  npm install',
          '  npm test',
          '  npx althing module check',
        ].join('\n'),
      );
    });
}

function make(name: string, folder: string): string[] {
  if (!NAME.test(name)) {
    throw new UsageError(`a module's name is small letters and digits, a letter first: "${name}"`);
  }
  const files = readdirSync(TEMPLATE).map((file) => file.replace(TEMPLATE_NAME, name));
  const there = files.filter((file) => existsSync(join(folder, file)));
  if (there.length > 0) {
    throw new UsageError(`${folder} has ${there.join(', ')} already: name another --dir`);
  }
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(TEMPLATE)) {
    const text = renamed(readFileSync(join(TEMPLATE, file), 'utf8'), name);
    writeFileSync(join(folder, file.replace(TEMPLATE_NAME, name)), text);
  }
  return files;
}

/** Where the template speaks of the module itself, and not of what the example does. */
function renamed(text: string, name: string): string {
  return text
    .replaceAll("name: 'raffle'", `name: '${name}'`)
    .replaceAll('"name": "raffle"', `"name": "${name}"`)
    .replaceAll('"file:../.."', JSON.stringify(`file:${ALTHING}`))
    .replaceAll('"module":"raffle"', `"module":"${name}"`)
    .replaceAll('/api/v11/raffle/', `/api/v11/${name}/`)
    .replaceAll('# raffle', `# ${name}`)
    .replaceAll('raffle.ts', `${name}.ts`)
    .replaceAll('raffle.test.js', `${name}.test.js`);
}

function checkCommand(context: CommandContext): Command {
  return new Command('check')
    .description('load a module, and list what it declares')
    .argument('[file]', 'of the module (default: "main" of the package.json in this folder)')
    .action((file: string | undefined) => {
      const { module } = moduleIn(file ?? ownFile());
      const { name, version, digest, description } = module;
      const declared = {
        tables: Object.keys(module.tableDefinitions),
        events: Object.keys(module.eventDefinitions),
        timers: Object.keys(module.timerDefinitions),
        commands: Object.keys(module.commandDefinitions),
        queries: Object.keys(module.queryDefinitions),
      };
      context.print({ name, version, digest, description, ...declared }, () =>
        [
          `${name} ${version}: ${description}`,
          `  digest    ${digest}`,
          ...Object.entries(declared).map(
            ([section, names]) => `  ${section.padEnd(9)} ${names.join(', ') || '-'}`,
          ),
        ].join('\n'),
      );
    });
}

/** Throws UsageError. */
function ownFile(): string {
  const advice = 'name the file of a module: there is no package.json here whose "main" is one';
  if (!existsSync('package.json')) throw new UsageError(advice);
  const { main } = Object(parsed(readText('package.json'), 'package.json')) as { main?: unknown };
  if (typeof main === 'string') return main;
  throw new UsageError(advice);
}

function digestCommand(context: CommandContext): Command {
  return new Command('digest')
    .description('the digest by which nodes agree on a module')
    .argument('<file>', 'of the module')
    .action((file: string) => {
      const { name, version, digest } = moduleIn(file).module;
      context.print({ name, version, digest }, () => digest);
    });
}

function addCommand(context: CommandContext): Command {
  return new Command('add')
    .description('give a module to the nodes of a data folder; they read it at their next start')
    .argument('<file>', 'of the module')
    .addOption(dataOption())
    .action((file: string, flags: DataFlags) => {
      const read = moduleIn(file);
      const data = folderOf(flags);
      if (!existsSync(clusterFiles(data).genesis)) refuseNoFolder(data);
      const nodes = addModules(data, [read]);
      const { name, version, digest } = read.module;
      context.print({ name, version, digest, data, nodes }, () =>
        nodes.length === 0
          ? `All nodes in ${data} have ${basename(file)} already.`
          : `Given to ${nodes.join(', ')} in ${data}: start them again, one after the other.`,
      );
    });
}
