/**
 * Loads the .proto files once, at start. The build copies no files: they are found from here, in the
 * package's own `protocols/proto`, whether this module runs from dist/ or not.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/grpc-js';

/** Longs as strings would be exact beyond 2^53; no field of ours goes there. */
const OPTIONS: Options = { longs: Number, enums: String, defaults: true, oneofs: true };
const FILES = ['althing/v1/transactions.proto', 'althing/v1/consensus.proto'];
const PROTO_FOLDER = join('protocols', 'proto');

export interface Protos {
  /** Ours alone, by full name. */
  readonly transactions: ServiceDefinition;
  readonly consensus: ServiceDefinition;
  /** Ours and those that every client port has, for reflection. */
  readonly all: PackageDefinition;
}

export function loadProtos(): Protos {
  const ours = loadSync(FILES, { ...OPTIONS, includeDirs: [protoFolder()] });
  return {
    transactions: ours['althing.v1.Transactions'] as ServiceDefinition,
    consensus: ours['althing.v1.Consensus'] as ServiceDefinition,
    all: { ...ours, ...standardProtos() },
  };
}

/** Health and reflection, from the packages that implement them. */
function standardProtos(): PackageDefinition {
  const require = createRequire(import.meta.url);
  const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`));
  const reflection = join(packageFolder('@grpc/reflection'), 'build', 'proto');
  const health = join(packageFolder('grpc-health-check'), 'proto');
  return loadSync(
    [
      'health/v1/health.proto',
      'grpc/reflection/v1/reflection.proto',
      'grpc/reflection/v1alpha/reflection.proto',
    ],
    { ...OPTIONS, includeDirs: [health, reflection] },
  );
}

function protoFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, PROTO_FOLDER);
    if (existsSync(join(candidate, 'althing'))) return candidate;
    if (dirname(folder) === folder) {
      throw new Error(`the package is incomplete: no ${PROTO_FOLDER} above ${import.meta.url}`);
    }
  }
}
