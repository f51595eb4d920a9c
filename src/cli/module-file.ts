/** The file of a module that a command line names. */
import { readModule, type ReadModule } from '../init/modules.ts';
import { ModuleFileError } from '../modules/user/load.ts';
import { UsageError } from './command.ts';

/** Throws UsageError, with the place in the file. */
export function moduleIn(file: string): ReadModule {
  try {
    return readModule(file);
  } catch (error) {
    if (error instanceof ModuleFileError) throw new UsageError(error.message);
    throw error;
  }
}
