/** The built-in modules, in a list. */
import type { DefinedModule } from './define.ts';
import * as installed from './installed.ts';

export const builtInModules: readonly DefinedModule[] = Object.values(installed);
