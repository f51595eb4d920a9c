/**
 * Makes the services' definitions, once, at start: of our .proto files, and of the modules, whose files
 * are written from their declarations. Those that are published are found from here, in the nearest
 * `protocols/proto`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromJSON, loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { DefinedModule } from '../modules/define.ts';
import { withWholeFiles } from './descriptors.ts';
import { moduleProto, packageOf, protoPath } from './modules/module-proto.ts';
import { votingAmong } from './voting-service.ts';

/** No field of ours goes beyond 2^53; those of modules do, and are exact as text. */
const OPTIONS: Options = { longs: Number, enums: String, defaults: true, oneofs: true };
const MODULE_OPTIONS: Options = { ...OPTIONS, longs: String };
const FILES = ['transactions', 'consensus', 'state', 'stream'];
const PROTO_FOLDER = join('protocols', 'proto');

export interface Protos {
  readonly transactions: ServiceDefinition;
  readonly consensus: ServiceDefinition;
  readonly state: ServiceDefinition;
  readonly stream: ServiceDefinition;
  /** With the module that it stands on; null where that does not run. */
  readonly voting: {
    readonly module: DefinedModule;
    readonly definition: ServiceDefinition;
  } | null;
  /** Services of the modules, by full name. */
  readonly modules: Readonly<Record<string, ServiceDefinition>>;
  /** All of these, and those that every client port has, for reflection. */
  readonly all: PackageDefinition;
}

export function loadProtos(modules: readonly DefinedModule[]): Protos {
  const folder = protoFolder();
  const root = new protobuf.Root();
  const find = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) =>
    target.startsWith('althing/') ? join(folder, target) : find(origin, target);
  for (const module of modules) {
    // Who imports its file finds it loaded.
    root.files.push(join(folder, protoPath(module.name)));
    protobuf.parse(protoTextOf(module), root);
  }
  const voting = votingAmong(modules);
  const files = voting === undefined ? FILES : [...FILES, 'voting'];
  root.loadSync(files.map((name) => `althing/v1/${name}.proto`));
  const json = root.resolveAll().toJSON();
  const ours = fromJSON(json, OPTIONS);
  const packages = modules.map(({ name }) => `${packageOf(name)}.`);
  const exact = fromJSON(json, MODULE_OPTIONS);
  const typed = Object.entries(exact).filter(
    ([name, definition]) =>
      packages.some((each) => name.startsWith(each)) && !('format' in definition),
  );
  return {
    transactions: ours['althing.v1.Transactions'] as ServiceDefinition,
    consensus: ours['althing.v1.Consensus'] as ServiceDefinition,
    state: ours['althing.v1.State'] as ServiceDefinition,
    stream: ours['althing.v1.Stream'] as ServiceDefinition,
    voting:
      voting === undefined
        ? null
        : { module: voting, definition: exact['althing.v1.Voting'] as ServiceDefinition },
    modules: Object.fromEntries(typed) as Readonly<Record<string, ServiceDefinition>>,
    all: { ...withWholeFiles(ours), ...withWholeFiles(standardProtos()) },
  };
}

/** The .proto file of a module, with the numbers that the package was published with. */
function protoTextOf(module: DefinedModule): string {
  const file = join(protoFolder(), protoPath(module.name));
  return moduleProto(module, existsSync(file) ? readFileSync(file, 'utf8') : '');
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
