/** Loads the code under test: the real build, or a copy of the sources with planted bugs in it. */
import { transform } from 'esbuild';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Engine } from './engine.ts';
import { applyHunk, PatchError, type Planted } from './patch.ts';

/** The repository, as seen from dist/test/sim. */
export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
/** What a node's machines are made of. */
const FOLDERS = ['protocols', 'actors', 'src/modules'];

/** The engine in the compiled tree below `root`. */
export async function loadEngine(root = join(REPOSITORY, 'dist')): Promise<Engine> {
  const load = async <T>(path: string): Promise<T> =>
    (await import(pathToFileURL(join(root, path)).href)) as T;
  const [shell, consensus, voting, replication, transaction, structures, wire, ledger, kv] =
    await Promise.all([
      load<typeof import('../../actors/shell.ts')>('actors/shell.js'),
      load<typeof import('../../protocols/consensus/consensus.ts')>('protocols/consensus/consensus.js'),
      load<typeof import('../../protocols/voting/voting.ts')>('protocols/voting/voting.js'),
      load<typeof import('../../protocols/replication/replication.ts')>('protocols/replication/replication.js'),
      load<typeof import('../../protocols/transaction/transaction.ts')>('protocols/transaction/transaction.js'),
      load<typeof import('../../protocols/structures.ts')>('protocols/structures.js'),
      load<typeof import('../../protocols/wire.ts')>('protocols/wire.js'),
      load<typeof import('../../src/modules/ledger/ledger.ts')>('src/modules/ledger/ledger.js'),
      load<typeof import('../../src/modules/kv/kv.ts')>('src/modules/kv/kv.js'),
    ]);
  const modules = [ledger.ledger, kv.kv];
  return {
    Shell: shell.Shell,
    structures,
    wire,
    machines: (options) => ({
      consensus: new consensus.ConsensusMachine(options),
      voting: new voting.VotingMachine(options),
      replication: new replication.ReplicationMachine(options),
      transaction: new transaction.TransactionMachine({ ...options, modules }),
    }),
  };
}

/** Runs `use` with the engine built from the sources with these bugs, then removes the copy. */
export async function withPlanted<T>(planted: Planted, use: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'althing-planted-'));
  try {
    await buildPlanted(planted, root);
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function buildPlanted(planted: Planted, root: string): Promise<void> {
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  const pending = new Set(planted.hunks);
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
      .map((file) => `${folder}/${file}`),
  );
  await Promise.all(
    files.map(async (file) => {
      let source = readFileSync(join(REPOSITORY, file), 'utf8');
      for (const hunk of planted.hunks.filter((each) => each.file === file)) {
        source = applyHunk(planted, hunk, source);
        pending.delete(hunk);
      }
      await compile(source, join(root, file.replace(/\.ts$/, '.js')));
    }),
  );
  for (const hunk of pending) throw new PatchError(`${planted.name}: there is no file ${hunk.file}`);
}

async function compile(source: string, target: string): Promise<void> {
  const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node20' });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code.replace(/((?:from|import)\s*\(?\s*["']\.{1,2}\/[^"']*)\.ts(["'])/g, '$1.js$2'));
}
