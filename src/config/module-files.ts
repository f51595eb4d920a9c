/**
 * The users' modules that a node is given, read once: all its threads run the same text. They are
 * loaded here to see that they can be, and that they are what the genesis names.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Cluster, Program } from '../../protocols/genesis.ts';
import type { Module } from '../../protocols/transaction/module.ts';
import { loadUserModule, ModuleFileError, type ModuleFile } from '../modules/user/load.ts';

const WHAT_TO_DO = 'put the file there, or leave it out of --modules';

/** What can be read of `paths`, which are relative to `base`; what cannot is in `problems`. */
export function readModuleFiles(
  paths: readonly string[],
  base: string,
  cluster: Cluster,
  problems: string[],
): ModuleFile[] {
  const files: ModuleFile[] = [];
  const modules: (readonly [string, Module])[] = [];
  for (const path of paths) {
    const file = resolve(base, path);
    try {
      const source = { file, text: readFileSync(file, 'utf8') };
      const module = loadUserModule(source);
      if (modules.some(([, { digest }]) => digest === module.digest)) continue;
      modules.push([file, module]);
      files.push(source);
    } catch (error) {
      problems.push(problemOf(file, error));
    }
  }
  if (files.length === paths.length) problems.push(...missing(cluster, modules));
  return files;
}

function problemOf(file: string, error: unknown): string {
  if (error instanceof ModuleFileError) return error.message;
  const reason = error instanceof Error ? error.message : String(error);
  return `${file} cannot be read (${reason}): ${WHAT_TO_DO}`;
}

/** What the cluster runs from height 1 on and this node was not given. */
function missing({ genesis }: Cluster, modules: readonly (readonly [string, Module])[]): string[] {
  const wanted = (genesis.programs ?? []).filter(({ digest }) => digest !== '');
  return wanted
    .filter(({ digest }) => !modules.some(([, module]) => module.digest === digest))
    .map((program) => missingText(program, modules));
}

function missingText(
  { name, version, digest }: Program,
  modules: readonly (readonly [string, Module])[],
): string {
  const needed = `the genesis names module ${name}, version ${version}, with digest ${digest}`;
  const others = modules
    .filter(([, module]) => module.name === name)
    .map(([file, module]) => `${file} is version ${module.version} with digest ${module.digest}`);
  if (others.length === 0) return `${needed}: name its file by --modules`;
  return `${needed}, but ${others.join(', ')}: put back the file as it was, and bring a change as an upgrade`;
}
