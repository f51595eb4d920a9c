/**
 * The file of `althing submit --save`: each submission is in it, signed, before it is sent. What is sent
 * again are the same bytes, which execute once (rule E2), so whatever ends the command, run again with
 * the same file it goes on where it was.
 *
 *   {"from": 0, "transactions": 1000, "submission": "616c74…"}     one a line; `from` counts from 0
 */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { fromHex, isHex, toHex } from '../../protocols/bytes.ts';
import { readText, UsageError } from './command.ts';

export interface Saved {
  /** Place of its first transaction among those that were given. */
  readonly from: number;
  readonly transactions: number;
  readonly bytes: Uint8Array;
}

export class Journal {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  exists(): boolean {
    return existsSync(this.path);
  }

  /** The last one for each place: one that expired is signed again. Throws UsageError. */
  read(): readonly Saved[] {
    const lines = readText(this.path).split('\n');
    // The last line is whole, or the command ended before it was sent.
    const whole = lines.slice(0, -1);
    const saved = new Map(
      whole.map((line, at) => {
        const one = savedIn(line);
        if (one !== null) return [one.from, one] as const;
        throw new UsageError(`${this.path}, line ${at + 1}: no submission that --save wrote`);
      }),
    );
    return [...saved.values()].sort((one, other) => one.from - other.from);
  }

  /** It is on disk when this returns. Throws an Error of the file system. */
  add({ from, transactions, bytes }: Saved): void {
    const line = JSON.stringify({ from, transactions, submission: toHex(bytes) });
    const file = openSync(this.path, 'a', 0o600);
    try {
      appendFileSync(file, `${line}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
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
