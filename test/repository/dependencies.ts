/** Whether package.json lists what is used, and nothing else. */
import { builtinModules } from 'node:module';
import { below, type SourceFile } from './sources.ts';

export interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const IMPORT = /\b(?:from\s+|import\s*\(?\s*|require(?:\.resolve)?\(\s*)['"]([^'".][^'"]*)['"]/g;
/** A package reaches its own exports by its name, as its users do. */
const BUILT_IN = new Set([...builtinModules, 'althing']);

/** `@scope/name/path` and `name/path` to the package's name. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function importsOf(files: readonly SourceFile[]): ReadonlySet<string> {
  const specifiers = files.flatMap(({ text }) =>
    [...text.matchAll(IMPORT)].map(([, specifier = '']) => specifier),
  );
  const packages = specifiers
    .filter((specifier) => !specifier.startsWith('node:') && !specifier.includes(' '))
    .map(packageOf);
  return new Set(packages.filter((name) => !BUILT_IN.has(name)));
}

/** One line for each fault: used in the product and not listed for it, or listed and not used. */
export function dependencyFaults(
  files: readonly SourceFile[],
  manifest: Manifest,
): readonly string[] {
  const inProduct = importsOf(below(files, 'protocols', 'actors', 'src'));
  const elsewhere = files
    .filter(({ path }) => !path.startsWith('package') && !path.endsWith('.md'))
    .map(({ text }) => text)
    .join('\n');
  const { dependencies, devDependencies } = manifest;
  const notListed = [...inProduct].filter((name) => !(name in dependencies));
  const notImported = Object.keys(dependencies).filter((name) => !inProduct.has(name));
  const notMentioned = Object.keys(devDependencies).filter(
    (name) => !name.startsWith('@types/') && !elsewhere.includes(name),
  );
  return [
    ...notListed.map((name) => `${name} is imported and not among the dependencies`),
    ...notImported.map((name) => `${name} is among the dependencies and not imported`),
    ...notMentioned.map((name) => `${name} is among the devDependencies and used nowhere`),
  ];
}
