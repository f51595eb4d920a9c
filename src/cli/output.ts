/**
 * What commands show. Text that comes from nodes or from other people's transactions reaches a terminal
 * only without control characters: it could move the cursor and rewrite what stands above.
 */
import { once } from 'node:events';
import { plain } from '../edge/representation.ts';

let isSending = false;

/** From now on the command changes the cluster: it goes on to its end, whether or not anybody reads. */
export function goesOnUnread(): void {
  isSending = true;
}

/**
 * To be called once. Whoever reads the results may have enough of them, as `head` does: that is no
 * failure, and what only shows them ends with it. A result that a full disk did not take is one.
 */
export function watchReaders(failure: number): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.exitCode = failure;
    if (!isSending) process.exit();
  });
  process.stderr.on('error', () => {});
}

/** Writes, and waits for whoever reads when they are slow. Nothing where nobody reads any more. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.writable || process.stdout.write(text)) return;
  await once(process.stdout, 'drain').catch(() => {});
}

/** A value as JSON, whatever it holds: on one line, or indented. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(plain(value), null, indent).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const EXCERPT_CHARS = 500;

/** The beginning of a value as JSON, however long and deep whoever wrote it made it. */
export function excerpt(value: unknown): string {
  let text = '';
  for (const piece of piecesOf(value)) {
    text += piece;
    if (text.length > EXCERPT_CHARS) return `${text.slice(0, EXCERPT_CHARS)}…`;
  }
  return text;
}

/** As far as it is read: each level is a character at least. */
function* piecesOf(value: unknown): Generator<string, void> {
  if (typeof value === 'string') return yield jsonText(value.slice(0, EXCERPT_CHARS));
  if (value instanceof Uint8Array) return yield jsonText(value.subarray(0, EXCERPT_CHARS));
  if (typeof value !== 'object' || value === null) return yield jsonText(value ?? null);
  const isList = Array.isArray(value);
  yield isList ? '[' : '{';
  let isFirst = true;
  for (const [name, each] of isList ? value.entries() : Object.entries(value)) {
    if (!isFirst) yield ',';
    isFirst = false;
    if (!isList) {
      yield* piecesOf(name);
      yield ':';
    }
    yield* piecesOf(each);
  }
  yield isList ? ']' : '}';
}

/** Text from elsewhere in one line. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

/** One line of each, whatever is in it. */
export function printableLines(lines: readonly string[]): string {
  return lines.map(printable).join('\n');
}

/** Text as it is where that can be read on a line, else as JSON. */
export function shown(value: unknown): string {
  if (typeof value === 'string' && value !== '' && printable(value) === value) return value;
  return jsonText(value ?? null);
}

type Row = Readonly<Record<string, unknown>>;

/** An answer for people: members on lines of their own, lists of alike rows as a table. */
export function described(value: unknown): string {
  const simple = plain(value);
  if (Array.isArray(simple)) return listed(simple);
  if (typeof simple !== 'object' || simple === null) return shown(simple);
  const members = Object.entries(simple);
  const width = Math.max(0, ...members.map(([name]) => printable(name).length));
  return members
    .map(([name, each]) =>
      isRows(each)
        ? `${printable(name)}\n${indented(listed(each))}`
        : `${printable(name).padEnd(width)}  ${shown(each)}`,
    )
    .join('\n');
}

function listed(items: readonly unknown[]): string {
  return isRows(items) ? table(items) : items.map(shown).join('\n');
}

function isRows(value: unknown): value is readonly Row[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each))
  );
}

/** Rows below the names of their members. */
export function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => names.map((name) => (name in row ? shown(row[name]) : '')));
  const lines = [names.map(printable), ...cells];
  const widths = names.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

const PROGRESS_AFTER_MS = 2000;
const PROGRESS_EVERY_MS = 1000;

/** Tells on stderr how far a long command is. */
export function newProgress(): (text: () => string) => void {
  let next = performance.now() + PROGRESS_AFTER_MS;
  return (text) => {
    const now = performance.now();
    if (now < next) return;
    next = now + PROGRESS_EVERY_MS;
    process.stderr.write(`${text()}\n`);
  };
}
