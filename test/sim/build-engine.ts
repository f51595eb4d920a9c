/** Loads the code under test: the real build, or a copy of the sources with planted bugs in it. */
import { transform } from 'esbuild';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { clockwork } from './clockwork.ts';
import type { Engine } from './engine.ts';
import { applyHunk, PatchError, type Planted } from './patch.ts';

/** The repository, as seen from dist/test/sim. */
export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
/** What a node's machines are made of. */
const PARTS = ['protocols', 'actors', 'src/modules', 'src/module.js'];

/** The engine in the compiled tree below `root`. */
export async function loadEngine(root = join(REPOSITORY, 'dist')): Promise<Engine> {
  const load = async <T>(path: string): Promise<T> =>
    (await import(pathToFileURL(join(root, path)).href)) as T;
  const [shell, consensus, voting, replication, transaction, structures, wire, toolkit, installed] =
    await Promise.all([
      load<typeof import('../../actors/shell.ts')>('actors/shell.js'),
      load<typeof import('../../protocols/consensus/consensus.ts')>(
        'protocols/consensus/consensus.js',
      ),
      load<typeof import('../../protocols/voting/voting.ts')>('protocols/voting/voting.js'),
      load<typeof import('../../protocols/replication/replication.ts')>(
        'protocols/replication/replication.js',
      ),
      load<typeof import('../../protocols/transaction/transaction.ts')>(
        'protocols/transaction/transaction.js',
      ),
      load<typeof import('../../protocols/structures.ts')>('protocols/structures.js'),
      load<typeof import('../../protocols/wire.ts')>('protocols/wire.js'),
      load<typeof import('../../src/module.ts')>('src/module.js'),
      load<typeof import('../../src/modules/built-in.ts')>('src/modules/built-in.js'),
    ]);
  const first = [...installed.builtInModules, clockwork(toolkit, 1)];
  const modules = [...first, clockwork(toolkit, 2)];
  return {
    Shell: shell.Shell,
    structures,
    wire,
    programs: first.map(({ name, version, digest }) => ({ name, version, digest })),
    machines: (options) => ({
      consensus: new consensus.ConsensusMachine(options),
      voting: new voting.VotingMachine(options),
      replication: new replication.ReplicationMachine(options),
      transaction: new transaction.TransactionMachine({
        ...options,
        modules: options.lacksUpgrade ? first : modules,
      }),
    }),
  };
}

/** Runs `use` with the engine built from the sources with these bugs, then removes the copy. */
export async function withPlanted<T>(
  planted: Planted,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'althing-planted-'));
  try {
    await buildPlanted(planted, root);
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The compiled tree as it is, with the changed files compiled anew. */
async function buildPlanted(planted: Planted, root: string): Promise<void> {
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  for (const part of PARTS) {
    const filter = (path: string): boolean => statSync(path).isDirectory() || path.endsWith('.js');
    cpSync(join(REPOSITORY, 'dist', part), join(root, part), { recursive: true, filter });
  }
  for (const [file, source] of patchedSources(planted)) {
    await compile(source, join(root, file.replace(/\.ts$/, '.js')));
  }
}

/** The changed files by path, with these bugs in them. Throws PatchError when one does not fit any more. */
export function patchedSources(planted: Planted): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const hunk of planted.hunks) {
    const path = join(REPOSITORY, hunk.file);
    if (!existsSync(path)) throw new PatchError(`${planted.name}: there is no file ${hunk.file}`);
    const source = sources.get(hunk.file) ?? readFileSync(path, 'utf8');
    sources.set(hunk.file, applyHunk(planted, hunk, source));
  }
  return sources;
}

/** @param target where the JavaScript goes */
export async function compile(source: string, target: string): Promise<void> {
  const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node20' });
  const imports = /((?:from|import)\s*\(?\s*["']\.{1,2}\/[^"']*)\.ts(["'])/g;
  writeFileSync(target, code.replace(imports, '$1.js$2'));
}
