/**
 * The file of `althing submit --save`: each submission is in it, signed, before it is sent. What is sent
 * again are the same bytes, which execute once (rule E2), so whatever ends the command, run again with
 * the same file it goes on where it was.
 *
 *   {"from": 0, "transactions": 1000, "submission": "616c74…"}     one a line; `from` counts from 0
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fromHex, isHex, toHex } from '../../protocols/bytes.ts';
import { syncFolder } from '../whole-file.ts';
import { readText, UsageError } from './command.ts';
import { hold } from './holding.ts';

export interface Saved {
  /** Place of its first transaction among those that were given. */
  readonly from: number;
  readonly transactions: number;
  readonly bytes: Uint8Array;
}

/** How every line begins, as JSON.stringify writes it. */
const BEGINNING = '{"from":';

export class Journal {
  readonly path: string;
  /** Whether the file ends with a line of ours that is whole. */
  #isWhole = false;

  constructor(path: string) {
    this.path = path;
  }

  exists(): boolean {
    return existsSync(this.path);
  }

  /** The last one for each place: one that expired is signed again. Throws UsageError. */
  read(): readonly Saved[] {
    const whole = this.#wholeLines(readText(this.path)).split('\n').slice(0, -1);
    const saved = new Map(
      whole.map((line, at) => {
        const one = savedIn(line);
        if (one !== null) return [one.from, one] as const;
        throw new UsageError(`${this.path}, line ${at + 1}: no submission that --save wrote`);
      }),
    );
    return [...saved.values()].sort((one, other) => one.from - other.from);
  }

  /** The last line is whole, or the command ended before it was sent. Throws UsageError. */
  #wholeLines(text: string): string {
    const end = text.lastIndexOf('\n') + 1;
    const torn = text.slice(end, end + BEGINNING.length);
    if (BEGINNING.startsWith(torn)) return text.slice(0, end);
    throw new UsageError(`${this.path}: its last line is none that --save wrote`);
  }

  /** It is on disk when this returns. Throws UsageError, or an Error of the file system. */
  add(saved: Saved): void {
    const isNew = !this.exists();
    const file = openSync(this.path, 'a+', 0o600);
    try {
      if (!this.#isWhole) this.#cut(file);
      this.#isWhole = false;
      appendFileSync(file, `${lineOf(saved)}\n`);
      fsyncSync(file);
      this.#isWhole = true;
    } finally {
      closeSync(file);
    }
    if (isNew) syncFolder(dirname(this.path));
  }

  /** What follows begins a line, whatever became of the one before. */
  #cut(file: number): void {
    const text = readFileSync(file, 'utf8');
    const whole = Buffer.byteLength(this.#wholeLines(text));
    if (whole < Buffer.byteLength(text)) ftruncateSync(file, whole);
  }
}

/** What --save names, for this process alone while `work` lasts; null where it names nothing. */
export async function withJournal(
  path: string | undefined,
  work: (journal: Journal | null) => Promise<void>,
): Promise<void> {
  if (path === undefined) return work(null);
  const release = hold(path);
  try {
    await work(new Journal(path));
  } finally {
    release();
  }
}

export function lineOf({ from, transactions, bytes }: Saved): string {
  return JSON.stringify({ from, transactions, submission: toHex(bytes) });
}

function savedIn(line: string): Saved | null {
  let json: Readonly<Record<string, unknown>> | null;
  try {
    json = JSON.parse(line) as typeof json;
  } catch {
    return null;
  }
  const { from, transactions, submission } = json ?? {};
  const isSound =
    Number.isSafeInteger(from) &&
    Number.isSafeInteger(transactions) &&
    typeof submission === 'string' &&
    isHex(submission, submission.length / 2);
  if (!isSound) return null;
  return { from: Number(from), transactions: Number(transactions), bytes: fromHex(submission) };
}
