/** The syntax tree of a module's source: JavaScript, or TypeScript whose types are taken out. */
import { createRequire } from 'node:module';
import type * as Swc from '@swc/wasm-typescript';
import { parse, type AnyNode, type Program } from 'acorn';

export type { AnyNode, Program } from 'acorn';

/** Loaded with the first source that has types: it is large, and most processes never see one. */
const swc = (): typeof Swc => createRequire(import.meta.url)('@swc/wasm-typescript') as typeof Swc;

/** Source that cannot be a module: where, why, and what to write instead. Lines and columns from 1. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly file: string;
  readonly line: number;
  readonly column: number;

  constructor(file: string, line: number, column: number, reason: string) {
    super(`${file}:${line}:${column}: ${reason}`);
    this.file = file;
    this.line = line;
    this.column = column;
  }
}

export interface Source {
  readonly file: string;
  /** Without types and comments, every other character in its place. */
  readonly code: string;
  readonly program: Program;
  /** Where the arrows of arrow functions are, ascending. */
  readonly arrows: readonly number[];
}

export const SOURCE_BYTES_MAX = 512 * 1024;

/** Brackets inside one another: the only nesting that leaves nothing in the tree (grammar.ts). */
const BRACKETS_MAX = 200;
const OPENING = new Set(['(', '[', '{', '${']);
const CLOSING = new Set([')', ']', '}']);

/** Throws SourceError. */
export function parseSource(file: string, text: string): Source {
  if (text.length > SOURCE_BYTES_MAX) {
    throw new SourceError(file, 1, 1, `more than ${SOURCE_BYTES_MAX} bytes: make it two modules`);
  }
  const javascript = file.endsWith('.ts') ? withoutTypes(file, text) : text;
  const comments: (readonly [number, number])[] = [];
  const arrows: number[] = [];
  let open = 0;
  try {
    const program = parse(javascript, {
      ecmaVersion: 2023,
      sourceType: 'module',
      onToken: ({ type: { label }, start }) => {
        if (label === '=>') arrows.push(start);
        if (OPENING.has(label)) open++;
        else if (CLOSING.has(label)) open--;
        if (open > BRACKETS_MAX) throw new RangeError('brackets');
      },
      onComment: (_block, _text, start, end) => void comments.push([start, end]),
    });
    return { file, code: blanked(javascript, comments), program, arrows };
  } catch (error) {
    if (!(error instanceof SyntaxError) || /stack/.test(error.message)) {
      throw new SourceError(file, 1, 1, 'nested too deeply: make functions of it');
    }
    const { line, column } = (error as { loc?: { line: number; column: number } }).loc ?? {
      line: 1,
      column: 0,
    };
    throw new SourceError(file, line, column + 1, error.message.replace(/ \(\d+:\d+\)$/, ''));
  }
}

/** Spaces in place of types, so that lines and columns stay. */
function withoutTypes(file: string, text: string): string {
  const { transformSync } = swc();
  try {
    return transformSync(text, {
      filename: file,
      mode: 'strip-only',
      deprecatedTsModuleAsError: true,
    }).code;
  } catch (error) {
    const { message, startLine, startColumn } = error as Partial<Record<string, unknown>>;
    const line = typeof startLine === 'number' ? startLine : 1;
    const column = typeof startColumn === 'number' ? startColumn + 1 : 1;
    throw new SourceError(file, line, column, String(message));
  }
}

function blanked(code: string, comments: readonly (readonly [number, number])[]): string {
  let result = '';
  let from = 0;
  for (const [start, end] of comments) {
    result += code.slice(from, start) + code.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, ' ');
    from = end;
  }
  return result + code.slice(from);
}

/** An error at a node of the tree. */
export function errorAt({ file, code }: Source, { start }: AnyNode, reason: string): SourceError {
  const before = code.slice(0, start);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return new SourceError(file, line, start - lineStart + 1, reason);
}

/** The nodes right below, in the order of the source. */
export function childrenOf(node: AnyNode): AnyNode[] {
  if (node.type === 'Property' && node.shorthand) return [node.value];
  const children: AnyNode[] = [];
  for (const member of Object.values(node) as unknown[]) {
    for (const each of Array.isArray(member) ? (member as unknown[]) : [member]) {
      if (isNode(each)) children.push(each);
    }
  }
  return children.sort((a, b) => a.start - b.start);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
