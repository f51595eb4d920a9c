// Compiles the TypeScript projects into dist/, whose folders mirror the repository's.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  copyFileSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, packageProgram, progress, root, runNode } from './tools.mjs';

const layers = ['protocols', 'actors', 'src', 'bench', 'test'];
/** Files that compiled code reads beside itself. */
const assetEnding = /\.(proto|sql|html|css|svg)$/;

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Removes what was compiled from a file that is gone: ava would run a deleted test for ever. */
function removeOrphans(layer) {
  const output = join(root, 'dist', layer);
  for (const file of filesBelow(output)) {
    const source = join(root, layer, file.slice(output.length)).replace(
      /(\.d\.ts|\.js|\.js\.map)$/,
      '.ts',
    );
    if (source.endsWith('.ts') && !existsSync(source)) rmSync(file);
  }
}

function copyAssets(layer) {
  const sources = join(root, layer);
  for (const file of filesBelow(sources).filter((name) => assetEnding.test(name))) {
    const copy = join(root, 'dist', layer, file.slice(sources.length));
    if (existsSync(copy) && statSync(copy).mtimeMs >= statSync(file).mtimeMs) continue;
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
}

/** `node dist/node.js --id …` starts a node, wherever its code lies. */
function writeEntry() {
  const entry = join(root, 'dist/node.js');
  const text = "import './src/node.js';\n";
  if (!existsSync(entry) || readFileSync(entry, 'utf8') !== text) writeFileSync(entry, text);
}

/** `npx althing` runs the file itself, and the compiler writes files that nobody may run. */
function makeExecutable() {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755);
}

/** Compiles what changed since the last time. */
export async function compile() {
  if (!existsSync(join(root, 'dist'))) progress('compiling');
  if ((await runNode([packageProgram('typescript/bin/tsc'), '-b'])) !== 0) {
    throw new Failure('The TypeScript compiler found errors (above).');
  }
  for (const layer of layers) {
    removeOrphans(layer);
    copyAssets(layer);
  }
  writeEntry();
  makeExecutable();
}
