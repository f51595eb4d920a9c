/** What no file of the repository may contain: places that exist on one machine only. */
import type { SourceFile } from './sources.ts';

const BANNED: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.~-])\/work\//, 'an absolute path of one machine'],
  [/\/tmp\/bash_jobs/, 'an absolute path of one machine'],
  [/registry\.npmjs\.org|registry\.yarnpkg\.com|deb\.debian\.org/, 'a registry host'],
];

/** One line for each fault. */
export function strangePlaces(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        BANNED.filter(([pattern]) => pattern.test(line)).map(
          ([, what]) => `${path}:${index + 1} names ${what}`,
        ),
      ),
  );
}

/** The lock names versions and integrity only: where packages come from is the user's matter. */
export function lockFaults(lock: string): readonly string[] {
  const packages = (JSON.parse(lock) as { packages: Record<string, { resolved?: string }> })
    .packages;
  return Object.entries(packages)
    .filter(([, entry]) => entry.resolved !== undefined)
    .map(([path]) => `${path} has a resolved address`);
}
