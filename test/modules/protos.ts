/** The .proto files of the modules as they stand in the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { moduleProto, protoPath } from '../../src/grpc/modules/module-proto.ts';
import type { DefinedModule } from '../../src/modules/define.ts';
import { ROOT } from '../repository/sources.ts';

export function protoFile({ name }: DefinedModule): string {
  return `${ROOT}protocols/proto/${protoPath(name)}`;
}

/** Empty where there is none yet. */
export function committedProto(module: DefinedModule): string {
  const file = protoFile(module);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

export function generatedProto(module: DefinedModule): string {
  return moduleProto(module, committedProto(module));
}
