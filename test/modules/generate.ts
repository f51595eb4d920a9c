/** npm run generate: writes what follows from the declarations of the modules into the repository. */
import { readFileSync, writeFileSync } from 'node:fs';
import { builtInModules } from '../../src/modules/built-in.ts';
import { documented, PAGE } from './documentation.ts';

writeFileSync(PAGE, await documented(readFileSync(PAGE, 'utf8'), builtInModules));
