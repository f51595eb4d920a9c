/** All that a node can run: the modules of this software, and those of users that it was given. */
import { builtInModules } from './built-in.ts';
import type { DefinedModule } from './define.ts';
import { loadUserModule, type ModuleFile, type OnFault } from './user/load.ts';

/** In whatever versions. Each thread loads its own: handlers run in one of them alone. */
export function availableModules(
  files: readonly ModuleFile[],
  onFault?: OnFault,
): readonly DefinedModule[] {
  return [...builtInModules, ...files.map((file) => loadUserModule(file, onFault))];
}
