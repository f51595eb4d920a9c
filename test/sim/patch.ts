/**
 * Reads and applies planted bugs: unified diffs with a header that says which rule they break. A hunk
 * is found by its text, not by its line number, and must fit in exactly one place, so that a patch
 * survives changes elsewhere in its file and says clearly when it does not.
 */

export interface Hunk {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export interface Planted {
  readonly name: string;
  /** The rule that the patched code breaks, such as `B4`. */
  readonly rule: string;
  readonly says: string;
  /** Checkers whose complaint shows this bug. */
  readonly expect: readonly string[];
  /** Kinds of fault that bring it out (profile.ts); every seed of its search has them. */
  readonly focus: readonly string[];
  /** Cluster size of its search; any when absent. */
  readonly nodes: number | null;
  readonly hunks: readonly Hunk[];
}

export class PatchError extends Error {
  override readonly name = 'PatchError';
}

export function parsePlanted(name: string, text: string): Planted {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('--- '));
  if (start < 0) throw new PatchError(`${name}: no diff in it`);
  const header = new Map<string, string>();
  for (const line of lines.slice(0, start)) {
    const match = /^([a-z]+): (.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) header.set(match[1], match[2]);
  }
  const list = (key: string, separator: RegExp): string[] =>
    (header.get(key) ?? '').split(separator).filter((word) => word !== '');
  const rule = header.get('rule');
  const says = header.get('says');
  const expect = list('expect', / *, */);
  if (rule === undefined || says === undefined || expect.length === 0) {
    throw new PatchError(
      `${name}: its header needs the lines "rule: …", "says: …" and "expect: …"`,
    );
  }
  return {
    name,
    rule,
    says,
    expect,
    focus: list('focus', /[ ,]+/),
    nodes: header.has('nodes') ? Number(header.get('nodes')) : null,
    hunks: parseHunks(name, lines.slice(start)),
  };
}

function parseHunks(name: string, lines: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let file = '';
  let before: string[] = [];
  let after: string[] = [];
  const flush = (): void => {
    if (before.length + after.length > 0) {
      hunks.push({ file, before: before.join('\n'), after: after.join('\n') });
    }
    before = [];
    after = [];
  };
  for (const line of lines) {
    if (line.startsWith('--- ') || line.startsWith('@@')) flush();
    else if (line.startsWith('+++ ')) file = line.slice(4).replace(/^b\//, '').trim();
    else if (line.startsWith('-')) before.push(line.slice(1));
    else if (line.startsWith('+')) after.push(line.slice(1));
    else if (line.startsWith(' ')) {
      before.push(line.slice(1));
      after.push(line.slice(1));
    } else if (line !== '') throw new PatchError(`${name}: not a line of a diff: ${line}`);
  }
  flush();
  return hunks;
}

/** The file's text with the hunk applied. */
export function applyHunk(planted: Planted, hunk: Hunk, source: string): string {
  const at = source.indexOf(hunk.before);
  const remedy = `rewrite test/planted/${planted.name}.patch for the code as it is now`;
  if (at < 0) {
    throw new PatchError(
      `${planted.name}: ${hunk.file} no longer holds what it changes: ${remedy}\n${hunk.before}`,
    );
  }
  if (source.indexOf(hunk.before, at + 1) >= 0) {
    throw new PatchError(
      `${planted.name}: ${hunk.file} holds it more than once: ${remedy}\n${hunk.before}`,
    );
  }
  return source.slice(0, at) + hunk.after + source.slice(at + hunk.before.length);
}
