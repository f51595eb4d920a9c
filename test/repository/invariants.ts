/**
 * Finds what is wrong with the numbered invariants: an invariant stands as `I12. …` in the header of
 * a file of protocols/, actors/ or src/, or in docs/proof.md, and some test cites `I12`. Parts that
 * have a letter of their own, such as the log (L), keep to the same.
 */
import { below, type SourceFile } from './sources.ts';

const DEFINITION = /^(?: \* | {0,3}(?:[-*] )?\**)([A-Z]\d+)\.\**\s/gm;
const CODE = ['protocols', 'actors', 'src'];
const CITATION = /\b[A-Z]\d+\b/g;

function definitionsIn(files: readonly SourceFile[]): readonly { number: string; path: string }[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(DEFINITION)].map(([, number = '']) => ({ number, path })),
  );
}

function repeated(definitions: readonly { number: string; path: string }[]): readonly string[] {
  const firstPath = new Map<string, string>();
  return definitions.flatMap(({ number, path }) => {
    const first = firstPath.get(number);
    if (first === undefined) firstPath.set(number, path);
    return first === undefined ? [] : [`${number} stands in ${first} and again in ${path}`];
  });
}

/** One line for each fault; empty when every number is unique and cited. */
export function invariantFaults(files: readonly SourceFile[]): readonly string[] {
  const inCode = definitionsIn(below(files, ...CODE));
  const inProof = definitionsIn(files.filter(({ path }) => path === 'docs/proof.md'));
  const tests = below(files, 'test').filter(({ path }) => !path.startsWith('test/repository/'));
  const cited = new Set(tests.flatMap(({ text }) => text.match(CITATION) ?? []));
  const uncited = [...inCode, ...inProof]
    .filter(({ number }) => !cited.has(number))
    .map(({ number, path }) => `no test cites ${number} (${path})`);
  return [...repeated(inCode), ...repeated(inProof), ...uncited];
}

export function countInvariants(files: readonly SourceFile[]): number {
  return definitionsIn(below(files, ...CODE)).length;
}
