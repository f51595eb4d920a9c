/** A copy of the whole program, benches included, with a planted bug in it. */
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder } from '../folder.ts';
import { compile, patchedSources, REPOSITORY } from '../sim/build-engine.ts';
import { parsePlanted } from '../sim/patch.ts';

const PATCHES = join(REPOSITORY, 'test/bench/planted');

/** The folder of the copy, which is laid out as this one. */
export async function plantedProgram(name: string): Promise<string> {
  const root = newFolder('planted');
  for (const part of ['package.json', 'protocols/proto', 'dist/protocols', 'dist/actors'])
    copy(part);
  for (const part of ['dist/src', 'dist/bench']) copy(part);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  const planted = parsePlanted(name, readFileSync(join(PATCHES, `${name}.patch`), 'utf8'));
  for (const [file, source] of patchedSources(planted)) {
    await compile(source, join(root, 'dist', file.replace(/\.ts$/, '.js')));
  }
  return root;

  function copy(part: string): void {
    cpSync(join(REPOSITORY, part), join(root, part), { recursive: true });
  }
}
