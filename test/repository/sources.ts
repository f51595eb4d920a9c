/** The repository's own files, as the checks of this folder read them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository; this file runs from dist/test/repository/. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every file that git tracks, or would if it were added. */
export function repositoryFiles(): readonly SourceFile[] {
  const args = [
    '-c',
    'safe.directory=*',
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
  ];
  const paths = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  return [...new Set(paths)].filter((path) => path !== '').flatMap(readIfThere);
}

/** A file may be deleted and not yet committed: git still lists it. */
function readIfThere(path: string): readonly SourceFile[] {
  try {
    return [{ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }];
  } catch {
    return [];
  }
}

export function below(files: readonly SourceFile[], ...folders: string[]): readonly SourceFile[] {
  return files.filter(
    ({ path }) => folders.some((folder) => path.startsWith(`${folder}/`)) && path.endsWith('.ts'),
  );
}
