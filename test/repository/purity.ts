/**
 * What the linter cannot see in protocols/: waiting outside of functions, and code loaded on demand.
 * (`async` functions, Promise and the globals are the linter's.)
 */
import type { SourceFile } from './sources.ts';

const COMMENT_OR_TEXT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;
const ASYNCHRONOUS = /\b(?:async|await|Promise)\b|\bimport\s*\(/;

/** One line for each fault. */
export function asynchronousCode(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .replaceAll(COMMENT_OR_TEXT, (match) => match.replaceAll(/[^\n]/g, ' '))
      .split('\n')
      .flatMap((line, index) => {
        const found = ASYNCHRONOUS.exec(line);
        return found ? [`${path}:${index + 1} uses ${found[0]}`] : [];
      }),
  );
}
