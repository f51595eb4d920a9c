/**
 * The files of users' modules in a cluster's folder: each node has its own copies in `modules/`, and names
 * them in its configuration, so that its folder can be shipped with all that it runs.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { DefinedModule } from '../modules/define.ts';
import { loadUserModule, ModuleFileError, type ModuleFile } from '../modules/user/load.ts';
import { parseGenesis } from './genesis.ts';
import { clusterFiles, nodeFiles } from './layout.ts';

export interface ReadModule extends ModuleFile {
  readonly module: DefinedModule;
}

/** Throws ModuleFileError. */
export function readModule(file: string): ReadModule {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModuleFileError(`${file} cannot be read (${reason}): name the file of a module`);
  }
  return { file, text, module: loadUserModule({ file, text }) };
}

/** Where a node keeps it, from its own folder: another text is another file. */
export function placeOf({ file, module: { name, version, digest } }: ReadModule): string {
  return join('modules', `${name}-${version}-${digest.slice(0, 8)}${extname(file)}`);
}

/**
 * Gives `modules` to all nodes whose folders lie in `data`. They read them at their next start. Resolves
 * with the nodes that lacked one.
 */
export function addModules(data: string, modules: readonly ReadModule[]): string[] {
  const genesis = parseGenesis(readFileSync(clusterFiles(data).genesis, 'utf8'));
  const folders = genesis.validators.map(({ id }) => ({ id, folder: join(data, id) }));
  const present = folders.filter(({ folder }) => existsSync(nodeFiles(folder).config));
  return present.filter(({ folder }) => addTo(folder, modules)).map(({ id }) => id);
}

function addTo(folder: string, modules: readonly ReadModule[]): boolean {
  const path = nodeFiles(folder).config;
  const config = JSON.parse(readFileSync(path, 'utf8')) as { modules?: string | string[] };
  const { modules: before = [] } = config;
  const named = typeof before === 'string' ? before.split(',') : before;
  const lacking = modules.filter((each) => !named.includes(placeOf(each)));
  for (const each of lacking) write(join(folder, placeOf(each)), each.text);
  if (lacking.length === 0) return false;
  const all = { ...config, modules: [...named, ...lacking.map(placeOf)] };
  write(path, `${JSON.stringify(all, null, 2)}\n`);
  return true;
}

/** Whole, or not at all: the node may be started at any moment. */
function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}

/** Those that the genesis does not name: they run once validators have approved them. */
export function notInGenesis(data: string, modules: readonly ReadModule[]): ReadModule[] {
  const genesis = parseGenesis(readFileSync(clusterFiles(data).genesis, 'utf8'));
  return modules.filter(
    ({ module }) => !(genesis.programs ?? []).some(({ digest }) => digest === module.digest),
  );
}
