/** npm run generate: writes what follows from the declarations of the modules into the repository. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { builtInModules } from '../../src/modules/built-in.ts';
import { documented, PAGE } from './documentation.ts';
import { generatedProto, protoFile } from './protos.ts';

writeFileSync(PAGE, await documented(readFileSync(PAGE, 'utf8'), builtInModules));
for (const module of builtInModules) {
  const text = generatedProto(module);
  mkdirSync(dirname(protoFile(module)), { recursive: true });
  writeFileSync(protoFile(module), text);
}
